"""docs/resources: every field of tiers and projects is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skerry.kube.objects import Obj
from skerry.platform.base.kinds import Kind, schema_of
from skerry.platform.projects.types import PROJECT, TIER

PAGES = Path(__file__).parents[4] / "docs/resources"


@pytest.mark.parametrize("kind", [TIER, PROJECT], ids=lambda kind: kind.resource.kind)
def test_every_field_is_explained(kind: Kind) -> None:
    prose = re.sub(r"```.*?```", "", (PAGES / f"{kind.resource.kind.lower()}.md").read_text(), flags=re.S)
    explained = set(re.findall(r"[A-Za-z0-9]+", " ".join(re.findall(r"`([^`]+)`", prose))))
    models = [schema_of(kind.spec), *([schema_of(kind.status)] if kind.status else [])]
    assert [one for model in models for one in _fields(model) if one not in explained] == []


def _fields(schema: Obj) -> list[str]:
    found = []
    for name, one in (schema.get("properties") or {}).items():
        found += [name, *_fields(one), *_fields(one.get("items") or {})]
    return found
