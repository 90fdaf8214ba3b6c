"""What holds for every apply, on a custom resource with one field of every sort."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.engine.schema.managed.applying import apply
from skerry.engine.schema.managed.conflicts import ApplyConflict
from skerry.engine.schema.managed.managers import manager_of
from skerry.engine.schema.managed.resets import NOTHING
from skerry.engine.schema.managed.sets import Set, paths
from skerry.engine.schema.managed.typing import of_custom_resource
from skerry.engine.schema.managed.updates import Write, strip, track_create, track_update
from skerry.kube.objects import Obj, copy_of

_TEXT = {"type": "string"}
_ITEM = {"type": "object", "required": ["name"], "properties": {"name": _TEXT, "size": {"type": "integer"}}}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "text": _TEXT,
                "map": {"type": "object", "additionalProperties": _TEXT},
                "items": {
                    "type": "array",
                    "items": _ITEM,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                },
                "set": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
                "list": {"type": "array", "items": _TEXT},
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": _TEXT, "b": _TEXT}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
        }
    },
}
TYPE = of_custom_resource(SCHEMA)

FEW = settings(max_examples=40)
"""Each example applies several times."""
_words = st.sampled_from(["a", "b", "c"])
_texts = st.sampled_from(["1", "2"])
_items = st.dictionaries(_words, st.none() | st.integers(0, 2), min_size=1, max_size=3).map(
    lambda found: [{"name": name} | ({} if size is None else {"size": size}) for name, size in found.items()]
)
_free = st.recursive(_texts | st.lists(_texts, max_size=2), lambda inner: st.dictionaries(_words, inner, min_size=1))
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "text": _texts,
        "map": st.dictionaries(_words, _texts, min_size=1),
        "items": _items,
        "set": st.lists(_words, min_size=1, unique=True),
        "list": st.lists(_words, max_size=2),
        "whole": st.dictionaries(st.sampled_from(["a", "b"]), _texts, min_size=1),
        "free": st.dictionaries(_words, _free, min_size=1),
    },
)


def body(spec: Obj) -> Obj:
    return {"apiVersion": "x/v1", "kind": "Thing", "metadata": {"name": "it"}, **({"spec": spec} if spec else {})}


def write(name: str) -> Write:
    return Write(name, "x/v1", "", TYPE, NOTHING, "2026-01-01T00:00:00Z")


def applied(live: Obj | None, by: str, spec: Obj, *, force: bool = True) -> Obj:
    result = apply(live, body(spec), write(by), force=force)
    return {**result, "metadata": {**result["metadata"], "uid": "u"}}


def managers(of: Obj) -> dict[str, Set]:
    return {manager_of(entry).name: entry["fieldsV1"] for entry in of["metadata"].get("managedFields") or ()}


def content(of: Obj) -> Any:
    """The spec with what tells nothing about order taken out."""
    spec = copy_of(of.get("spec") or {})
    for name in ("items", "set"):
        if name in spec:
            spec[name] = sorted(spec[name], key=str)
    return spec


@FEW
@given(SPECS, SPECS, SPECS)
def test_apply_is_idempotent(first: Obj, second: Obj, third: Obj) -> None:
    live = applied(applied(applied(None, "a", first), "b", second), "a", third)
    assert applied(live, "a", third) == live


@FEW
@given(SPECS, SPECS)
def test_what_is_applied_is_there(first: Obj, second: Obj) -> None:
    live = applied(applied(None, "a", first), "b", second)
    assert applied(live, "b", second, force=False) == live
    everything = strip(TYPE.owned(live) or {})
    for fields in managers(live).values():
        assert set(paths(fields)) <= set(paths(everything))


@FEW
@given(SPECS, SPECS)
def test_apply_then_apply_nothing_restores_what_others_have(first: Obj, second: Obj) -> None:
    before = applied(None, "a", first)
    try:
        after = applied(before, "b", second, force=False)
    except ApplyConflict:
        return
    back = applied(after, "b", {})
    assert content(back) == content(before)
    assert managers(back) == managers(before)


@FEW
@given(SPECS, SPECS)
def test_conflicts_are_symmetric(first: Obj, second: Obj) -> None:
    def conflicts(one: Obj, other: Obj) -> set[str]:
        try:
            applied(applied(None, "a", one), "b", other, force=False)
        except ApplyConflict as conflict:
            return {cause["field"] for cause in conflict.details["causes"]}
        return set()

    def leaves(fields: set[str]) -> set[str]:
        """Where one applies a field in place of an object, the conflict is at different depths."""
        return {field.partition("free")[0] for field in fields}

    assert leaves(conflicts(first, second)) == leaves(conflicts(second, first))


@FEW
@given(SPECS, st.lists(SPECS, min_size=1, max_size=3))
def test_every_field_has_exactly_one_updater(first: Obj, changes: list[Obj]) -> None:
    live = {**body(first), "metadata": {"name": "it", "uid": "u"}}
    track_create(live, write("m0"))
    for number, spec in enumerate(changes):
        old, live = live, {**body(spec), "metadata": live["metadata"].copy()}
        track_update(live, old, write(f"m{number + 1}"))
        if "managedFields" not in live["metadata"]:
            return  # nobody was left: it is not tracked any more
    owned = [path for fields in managers(live).values() for path in paths(fields)]
    assert len(owned) == len(set(owned))
    assert set(owned) == set(paths(strip(TYPE.compare({"metadata": {}}, live)[0] or {})))
