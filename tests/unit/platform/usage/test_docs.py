"""docs/resources: every field of the kinds of usage is explained, and the examples are as the kinds have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from skerry.kube.objects import Obj
from skerry.platform.base.kinds import Kind, schema_of
from skerry.platform.usage.capability import USAGE

PAGES = Path(__file__).parents[4] / "docs/resources"
_PAGE_OF = {"UsageDay": "usageday.md", "UsageMonth": "usageday.md", "UsageReport": "usagereport.md"}


@pytest.mark.parametrize("kind", USAGE.kinds, ids=lambda kind: kind.resource.kind)
def test_every_field_is_explained(kind: Kind) -> None:
    prose = re.sub(r"```.*?```", "", (PAGES / _PAGE_OF[kind.resource.kind]).read_text(), flags=re.S)
    explained = set(re.findall(r"[A-Za-z0-9]+", " ".join(re.findall(r"`([^`]+)`", prose))))
    fields = [*_fields(schema_of(kind.spec)), *(_fields(schema_of(kind.status)) if kind.status else ())]
    assert [one for one in fields if one not in explained] == []


@pytest.mark.parametrize("page", sorted(set(_PAGE_OF.values())))
def test_examples_are_of_the_kind(page: str) -> None:
    text = (PAGES / page).read_text()
    kinds = {kind.resource.kind: kind for kind in USAGE.kinds}
    objects = [one for block in re.findall(r"```yaml\n(.*?)```", text, re.S) for one in yaml.safe_load_all(block)]
    assert objects
    for one in objects:
        kind = kinds[one["kind"]]
        kind.spec.of(one["spec"])
        assert kind.status is not None
        kind.status.of(one["status"])


def _fields(schema: Obj) -> Iterator[str]:
    for name, one in (schema.get("properties") or {}).items():
        yield name
        yield from _fields(one)
        for inner in (one.get("items"), one.get("additionalProperties")):
            yield from _fields(inner or {}) if isinstance(inner, dict) else ()
