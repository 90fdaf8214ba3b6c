"""OpenAPI 2 documents of several servers in one."""

from __future__ import annotations

from skerry.engine.api.aggregation.openapi import Part, joined, part_of
from skerry.engine.api.discovery.openapi_protobuf import document
from skerry.engine.schema.registry import Registry

PLACES = [("a.io", "v1")]
THING = {
    "x-kubernetes-group-version-kind": [{"group": "a.io", "version": "v1", "kind": "Thing"}],
    "properties": {"spec": {"$ref": "#/definitions/Spec"}, "all": {"items": [{"$ref": "#/definitions/Shared"}]}},
}
DOCUMENT = {
    "paths": {"/apis/a.io/v1/things": {"get": {"schema": {"$ref": "#/definitions/List"}}}, "/apis/a.io/v10/x": {}},
    "definitions": {
        "Thing": THING, "Spec": {"type": "object"}, "Shared": {"type": "string"}, "List": {"type": "array"},
        "Unused": {"x-kubernetes-group-version-kind": [{"group": "a.io", "version": "v10", "kind": "Unused"}]},
    },
}  # fmt: skip


def test_what_a_server_adds_is_of_its_group_versions_only() -> None:
    part = part_of(DOCUMENT, PLACES)
    assert set(part.paths) == {"/apis/a.io/v1/things"}
    assert set(part.definitions) == {"Thing", "Spec", "Shared", "List"}
    assert part_of({}, PLACES) == Part({}, {})


def test_what_is_here_already_stays() -> None:
    ours = {"Shared": {"type": "number"}}
    found = joined({"/version": {}}, ours, [part_of(DOCUMENT, PLACES)])
    assert found.definitions["Shared"] == {"type": "number"}
    assert set(found.paths) == {"/version", "/apis/a.io/v1/things"}
    assert ours == {"Shared": {"type": "number"}}


def test_definitions_kubernetes_would_not_write_do_no_harm() -> None:
    registry = Registry()
    bare = document(registry)
    encoded = document(registry, [part_of(DOCUMENT, PLACES)])
    assert encoded.startswith(bare)
    assert b"Thing" in encoded
    assert b"Spec" in encoded
