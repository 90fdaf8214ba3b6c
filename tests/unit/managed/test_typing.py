"""Schemas to merge types, seen by the sets they give."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema.managed.conformance import complaints
from skerry.engine.schema.managed.schemas import reconciled, with_named_fields
from skerry.engine.schema.managed.sets import Set
from skerry.engine.schema.managed.typing import of_custom_resource, of_definition, type_of
from skerry.kube import openapi_definitions as definitions
from skerry.kube.objects import Obj
from tests.unit.managed.writes import DEPLOYMENTS, REGISTRY, kind


def owned(schema: Obj, spec: Any) -> Set | None:
    """The set below `spec` of a custom resource whose spec has this schema."""
    custom = of_custom_resource({"type": "object", "properties": {"spec": schema}})
    return (custom.owned({"spec": spec}) or {}).get("f:spec")


def test_every_kind_and_definition_compiles() -> None:
    for each in REGISTRY.kinds():
        type_of(each)
    for name in definitions.names():
        of_definition(name)


@pytest.mark.parametrize(
    ("schema", "spec", "expected"),
    [
        ({"type": "array", "items": {"type": "string"}}, ["a"], {}),
        ({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}, ["a"], {'v:"a"': {}}),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"a": "b"}, {"f:a": {}}),
        ({"type": "object", "x-kubernetes-map-type": "atomic"}, {"a": {"b": "c"}}, {}),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": {"b": [1]}},
         {"f:a": {".": {}, "f:b": {}}}),
        ({"x-kubernetes-preserve-unknown-fields": True}, {"a": 1}, {"f:a": {}}),
        ({"x-kubernetes-preserve-unknown-fields": True}, "text", {}),
        ({"x-kubernetes-int-or-string": True}, 3, {}),
        ({"type": "object", "properties": {"a": {"type": "object"}}}, {"a": {}}, {"f:a": {}}),
        ({"type": "object", "additionalProperties": {"type": "object", "properties": {"x": {}}}}, {"a": {"x": 1}},
         {"f:a": {".": {}, "f:x": {}}}),
        ({"type": "object", "x-kubernetes-embedded-resource": True, "x-kubernetes-preserve-unknown-fields": True},
         {"kind": "A", "metadata": {"finalizers": ["a/b"]}, "spec": {"c": 1}},
         {"f:kind": {}, "f:metadata": {"f:finalizers": {'v:"a/b"': {}}}, "f:spec": {".": {}, "f:c": {}}}),
    ],
)  # fmt: skip
def test_what_custom_schemas_say_about_merging(schema: Obj, spec: Any, expected: Set) -> None:
    assert owned(schema, spec) == expected


def test_below_preserved_objects_properties_keep_their_types() -> None:
    port = {
        "type": "object",
        "properties": {"port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}},
    }
    ports = {
        "type": "array", "items": port, "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port", "protocol"],
    }  # fmt: skip
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"ports": ports}}
    found = owned(schema, {"ports": [{"port": 1, "name": "x"}], "more": {"a": 1}})
    key = 'k:{"port":1,"protocol":"TCP"}'
    assert found == {"f:more": {".": {}, "f:a": {}}, "f:ports": {key: {".": {}, "f:name": {}, "f:port": {}}}}


def test_without_a_schema_objects_merge_and_the_rest_is_whole() -> None:
    thing = of_custom_resource({"x-kubernetes-preserve-unknown-fields": True})
    assert thing.owned({"spec": {"list": [{"a": 1}], "map": {"a": {"b": None}}}}) == {
        "f:spec": {".": {}, "f:list": {}, "f:map": {".": {}, "f:a": {".": {}, "f:b": {}}}}
    }


def test_a_schema_that_became_atomic_makes_parts_the_whole() -> None:
    deployment = type_of(kind(DEPLOYMENTS))
    parts = {"f:spec": {"f:selector": {"f:matchLabels": {"f:a": {}}}, "f:replicas": {}}}
    assert reconciled(deployment, parts) == {"f:spec": {"f:selector": {}, "f:replicas": {}}}


def test_named_fields_become_members_with_what_is_below_them() -> None:
    deployment = type_of(kind(DEPLOYMENTS))
    parts = {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:replicas": {}}}
    labels = {".": {}, "f:a": {}}
    assert with_named_fields(deployment, parts) == {
        "f:metadata": {".": {}, "f:labels": labels},
        "f:spec": {".": {}, "f:replicas": {}},
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"spec": {"replica": 1}}, ".spec.replica: field not declared in schema"),
        ({"spec": {"replicas": "1"}}, ".spec.replicas: expected numeric (int or float), got string"),
        ({"spec": {"paused": "x"}}, ".spec.paused: expected boolean, got &{x}"),
        ({"spec": []}, ".spec: expected map, got &{[]}"),
        ({"spec": {"template": {"spec": {"containers": {}}}}},
         ".spec.template.spec.containers: expected list, got &{map[]}"),
        ({"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}},
         '.spec.template.spec.containers: duplicate entries for key [name="a"]'),
        ({"spec": {"template": {"spec": {"hostAliases": [{"ip": "1", "x": 2}]}}}},
         '.spec.template.spec.hostAliases[ip="1"].x: field not declared in schema'),
        ({"spec": {"selector": {"a": 1}}}, ".spec.selector.a: field not declared in schema"),
        ({"spec": {"template": {"spec": {"tolerations": [{"a": 1}]}}}},
         ".spec.template.spec.tolerations[0].a: field not declared in schema"),
        ({"metadata": {"ownerReferences": [{"name": "a"}, "b"]}},
         ".metadata.ownerReferences: element 1: associative list with keys may not have non-map elements"),
        ({"spec": {"replicas": 1, "strategy": {"rollingUpdate": {"maxSurge": "1%"}}}}, ""),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(content: Obj, complaint: str) -> None:
    assert complaints(type_of(kind(DEPLOYMENTS)), content) == complaint
