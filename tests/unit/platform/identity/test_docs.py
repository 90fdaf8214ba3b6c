"""docs/resources: every field of the kinds of identity is explained, and the examples are as the kinds have them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from skerry.kube.objects import Obj
from skerry.platform.base.kinds import Kind, schema_of
from skerry.platform.identity.capability import IDENTITY
from skerry.platform.identity.naming import object_name

PAGES = Path(__file__).parents[4] / "docs/resources"


@pytest.mark.parametrize("kind", IDENTITY.kinds, ids=lambda kind: kind.resource.kind)
def test_every_field_is_explained(kind: Kind) -> None:
    text = (PAGES / f"{kind.resource.kind.lower()}.md").read_text()
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    fields = [*_fields(schema_of(kind.spec)), *(_fields(schema_of(kind.status)) if kind.status else ())]
    explained = set(re.findall(r"[A-Za-z0-9]+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert [one for one in fields if one not in explained] == []


@pytest.mark.parametrize("kind", IDENTITY.kinds, ids=lambda kind: kind.resource.kind)
def test_examples_are_of_the_kind(kind: Kind) -> None:
    text = (PAGES / f"{kind.resource.kind.lower()}.md").read_text()
    objects = [one for block in re.findall(r"```yaml\n(.*?)```", text, re.S) for one in yaml.safe_load_all(block)]
    assert objects
    for one in objects:
        spec = kind.spec.of(one["spec"])
        if kind.status and "status" in one:
            kind.status.of(one["status"])
        name = getattr(spec, "username", None) or getattr(spec, "name", None)
        assert one["metadata"]["name"] == (object_name(name) if name else one["metadata"]["name"])


def _fields(schema: Obj) -> list[str]:
    found = []
    for name, one in (schema.get("properties") or {}).items():
        found += [name, *_fields(one), *_fields(one.get("items") or {})]
    return found
