"""Pruning, defaulting, list types and embedded objects by structural schemas."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.schema.custom import defaulting, pruning
from skerry.engine.schema.custom.embedded import check_embedded, coerce
from skerry.engine.schema.custom.structural import compile_node
from skerry.engine.schema.custom.uniqueness import check_unique
from skerry.kube.objects import Obj


def root(spec: Obj) -> Obj:
    return {"type": "object", "properties": {"spec": spec}}


def pruned(spec: Obj, value: Any) -> tuple[Any, list[str]]:
    obj = {"kind": "X", "metadata": {"name": "a"}, "spec": value}
    unknown = pruning.prune(obj, compile_node(root(spec)))
    return obj.get("spec"), unknown


def test_unknown_fields_go_and_are_named() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {}}}}}
    assert pruned(schema, {"a": [{"x": 1}], "b": 2}) == ({"a": [{}]}, ["spec.a[0].x", "spec.b"])


def test_what_preserves_keeps_unknown_fields_but_prunes_known_ones() -> None:
    known = {"type": "object", "properties": {"x": {"type": "string"}}}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"known": known}}
    value = {"any": {"thing": 1}, "known": {"x": "1", "y": 2}}
    assert pruned(schema, value) == ({"any": {"thing": 1}, "known": {"x": "1"}}, ["spec.known.y"])


def test_maps_keep_their_keys() -> None:
    schema = {"type": "object", "additionalProperties": {"type": "object", "properties": {"x": {"type": "string"}}}}
    assert pruned(schema, {"k": {"x": "1", "y": 2}}) == ({"k": {"x": "1"}}, ["spec.k.y"])


def test_embedded_objects_keep_what_all_objects_have() -> None:
    schema = {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}}
    value = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "junk": 1}, "status": {}}
    kept, unknown = pruned(schema, value)
    assert unknown == ["spec.status"]
    assert coerce({"spec": kept}, compile_node(root(schema))) == ["spec.metadata.junk"]
    assert kept["metadata"] == {"name": "a"}


def test_embedded_objects_are_checked() -> None:
    schema = root(
        {"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True}
    )
    causes = list(check_embedded({"spec": {"kind": "a_b", "metadata": {"labels": {"": ""}}}}, compile_node(schema)))
    assert [cause.field for cause in causes] == ["spec.apiVersion", "spec.kind", "spec.metadata.labels"]


def filled(spec: Obj, value: Any) -> Any:
    obj = {"spec": value}
    defaulting.fill(obj, compile_node(root(spec)))
    return obj.get("spec")


def test_defaults_fill_in_what_is_missing_at_every_depth() -> None:
    item = {"type": "object", "properties": {"port": {"type": "integer", "default": 80}}}
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "default": "x"}, "items": {"type": "array", "items": item}},
    }
    assert filled(schema, {"items": [{}, {"port": 1}]}) == {"a": "x", "items": [{"port": 80}, {"port": 1}]}


def test_defaults_are_not_shared() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object", "default": {"b": []}}}}
    node = compile_node(root(schema))
    first, second = {"spec": {}}, {"spec": {}}  # type: tuple[Obj, Obj]
    defaulting.fill(first, node)
    first["spec"]["a"]["b"].append(1)
    defaulting.fill(second, node)
    assert second == {"spec": {"a": {"b": []}}}


def test_nulls_give_way_unless_they_mean_something() -> None:
    schema = {
        "type": "object",
        "properties": {
            "plain": {"type": "string"},
            "defaulted": {"type": "string", "default": "x"},
            "nullable": {"type": "string", "nullable": True, "default": "y"},
        },
    }
    value = {"plain": None, "defaulted": None, "nullable": None}
    assert filled(schema, value) == {"defaulted": "x", "nullable": None}


def duplicates(spec: Obj, value: Any) -> list[tuple[str, str]]:
    causes = check_unique({"spec": value}, compile_node(root(spec)))
    return [(cause.field, cause.message) for cause in causes]


def test_sets_and_maps_hold_everything_once() -> None:
    strings = {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}
    assert duplicates(strings, ["a", "b", "a", "a"]) == [("spec[2]", 'Duplicate value: "a"')]
    named = {
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "properties": {"name": {"type": "string"}}},
    }  # fmt: skip
    assert duplicates(named, [{"name": "a"}, {"name": "b", "x": 1}, {"name": "b"}]) == [
        ("spec[2]", 'Duplicate value: {"name":"b"}')
    ]


_NAMES = st.sampled_from("abcd")
_SCHEMAS = st.recursive(
    st.sampled_from([{"type": "string"}, {"type": "integer", "default": 1}, {"type": "string", "nullable": True}]),
    lambda below: (
        st.dictionaries(_NAMES, below, max_size=3).map(lambda fields: {"type": "object", "properties": fields})
        | below.map(lambda items: {"type": "array", "items": items})
        | below.map(lambda values: {"type": "object", "additionalProperties": values})
        | st.just({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    ),
    max_leaves=6,
)
_VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.text(max_size=2),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_NAMES, below, max_size=3),
    max_leaves=8,
)


@given(_SCHEMAS, _VALUES)
def test_pruning_and_defaulting_come_to_rest(schema: Obj, value: Any) -> None:
    node, obj = compile_node(root(schema)), {"spec": value}
    pruning.prune(obj, node)
    defaulting.fill(obj, node)
    settled = copy.deepcopy(obj)
    assert pruning.prune(obj, node) == []
    defaulting.fill(obj, node)
    assert obj == settled
