"""CustomResourceDefinition: life, status, defaulting, watch, and what is published of it in OpenAPI."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import yaml

from tests.component.conformance.definitions import CRDS, Definition, random_definition
from tests.component.conformance.e2e_client import JSON_PATCH, E2eClient

FOO = yaml.safe_load("""
description: Foo CRD for Testing
type: object
properties:
  spec:
    type: object
    description: Specification of Foo
    properties:
      bars:
        description: List of Bars and their specs.
        type: array
        items:
          type: object
          required: [name]
          properties:
            name: {description: Name of Bar., type: string}
            age: {description: Age of Bar., type: string}
            feeling: {description: Whether Bar is feeling great., type: string, enum: [Great, Down]}
            bazs: {description: List of Bazs., type: array, items: {type: string}}
  status:
    description: Status of Foo
    type: object
    properties:
      bars:
        description: List of Bars and their statuses.
        type: array
        items:
          type: object
          properties:
            available: {description: Whether the Bar is installed., type: boolean}
            quxType: {description: Indicates to external qux type., pattern: in-tree|out-of-tree, type: string}
""")
WALDO = {
    "type": "object",
    "description": "Waldo",
    "properties": {"spec": {"type": "object", "description": "Of Waldo"}},
}


def _published(api: E2eClient, definition: Definition, version: str) -> Any:
    group = ".".join(reversed(definition.group.split(".")))
    document = api.call("GET", "/openapi/v2", accept="").body
    return document["definitions"].get(f"{group}.{version}.{definition.kind}")


def _without_ours(schema: Any) -> Any:
    left = {key: value for key, value in schema.items() if key != "x-kubernetes-group-version-kind"}
    ours = ("metadata", "apiVersion", "kind")
    properties = {key: value for key, value in left.pop("properties", {}).items() if key not in ours}
    return {**left, **({"properties": properties} if properties else {})}


def test_publishes_the_schema_of_several_versions(api: E2eClient) -> None:
    definition = random_definition(api, FOO, ("v2", "v3"))
    for version in ("v2", "v3"):
        assert _without_ours(_published(api, definition, version)) == FOO
    api.patch(
        definition.own_path,
        [
            {"op": "test", "path": "/spec/versions/1/name", "value": "v3"},
            {"op": "replace", "path": "/spec/versions/1/name", "value": "v4"},
        ],
        JSON_PATCH,
    )
    api.until(f"/apis/{definition.group}/v4/{definition.plural}", lambda found: True)
    assert _without_ours(_published(api, definition, "v4")) == FOO
    assert _published(api, definition, "v3") is None
    assert _without_ours(_published(api, definition, "v2")) == FOO
    api.change(definition.own_path, lambda now: now["spec"]["versions"][1].update(served=False))
    api.until_gone(f"/apis/{definition.group}/v4/{definition.plural}")
    assert _published(api, definition, "v4") is None
    api.delete(definition.own_path)
    api.until_gone(definition.own_path)
    assert _published(api, definition, "v2") is None


def test_publishes_a_definition_without_schema_as_any_object(api: E2eClient) -> None:
    definition = random_definition(api, None, ("v1",))
    assert _without_ours(_published(api, definition, "v1")) == {"type": "object"}
    api.delete(definition.own_path)


def test_publishes_definitions_of_several_groups_and_kinds(api: E2eClient) -> None:
    for group in ("", "common-group.example.com"):
        made = [(random_definition(api, schema, ("v1",), group=group), schema) for schema in (FOO, WALDO)]
        assert all(_without_ours(_published(api, definition, "v1")) == schema for definition, schema in made)
        for definition, _ in made:
            api.delete(definition.own_path)


def test_gets_updates_and_patches_the_status_of_a_definition(api: E2eClient) -> None:
    definition = random_definition(api)
    status = api.get(f"{definition.own_path}/status")
    assert status["metadata"]["name"] == f"{definition.plural}.{definition.group}"
    condition = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from e2e test"}
    changed = api.change(f"{definition.own_path}/status", lambda now: now["status"]["conditions"].append(condition))
    assert changed["status"]["conditions"][-1]["message"]
    patch = {"metadata": {"annotations": {"patched": "true"}}, "status": {"conditions": [{**condition, "reason": "P"}]}}
    patched = api.patch(f"{definition.own_path}/status", patch)
    assert patched["metadata"]["annotations"]["patched"] == "true"
    assert [one["reason"] for one in patched["status"]["conditions"] if one["type"] == "StatusUpdate"] == ["P"]
    api.delete(definition.own_path)


def test_lists_and_deletes_definitions_by_label(api: E2eClient, unique: str) -> None:
    for _ in range(10):
        definition = random_definition(api)
        api.patch(definition.own_path, {"metadata": {"labels": {"e2e-list-test-uuid": unique}}})
    selector = f"{CRDS}?labelSelector=e2e-list-test-uuid={unique}"
    assert len(api.items(selector)) == 10
    api.delete(selector)
    api.until_empty(selector)


@pytest.mark.parametrize("from_storage", [True, False])
def test_defaults_for_requests_and_from_storage(api: E2eClient, from_storage: bool) -> None:
    schema: Any = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    definition = random_definition(api, schema, ("v1",))
    name = uuid.uuid4().hex
    api.create(
        definition.path, {"apiVersion": definition.api_version, "kind": definition.kind, "metadata": {"name": name}}
    )
    assert "a" not in api.get(f"{definition.path}/{name}")
    place = "/spec/versions/0/schema/openAPIV3Schema/properties"
    api.patch(definition.own_path, [{"op": "add", "path": f"{place}/a/default", "value": "A"}], JSON_PATCH)
    api.until(f"{definition.path}/{name}", lambda found: found.get("a") == "A")
    second = uuid.uuid4().hex
    body = {"apiVersion": definition.api_version, "kind": definition.kind, "metadata": {"name": second}}
    assert api.create(definition.path, body)["a"] == "A"
    change = [
        {"op": "remove", "path": f"{place}/a/default"},
        {"op": "add", "path": f"{place}/b/default", "value": "B"},
    ]
    api.patch(definition.own_path, change, JSON_PATCH)
    seen = api.until(f"{definition.path}/{second if not from_storage else name}", lambda found: found.get("b") == "B")
    assert ("a" in seen) is not from_storage
    api.delete(definition.own_path)


def test_watches_custom_resources(api: E2eClient) -> None:
    definition = random_definition(api, versions=("v1beta1",))
    with api.watch(f"{definition.path}?fieldSelector=metadata.name=name1") as watch:
        body = {"apiVersion": definition.api_version, "kind": definition.kind, "metadata": {"name": "name1"}}
        api.create(definition.path, body)
        assert watch.next()[0] == "ADDED"
        api.patch(f"{definition.path}/name1", {"content": {"key": "value"}})
        assert watch.next()[0] == "MODIFIED"
        api.delete(f"{definition.path}/name1")
        assert watch.next()[0] == "DELETED"
    api.delete(definition.own_path)


def test_definitions_are_in_discovery_documents(api: E2eClient) -> None:
    group = next(one for one in api.get("/apis")["groups"] if one["name"] == "apiextensions.k8s.io")
    assert {"groupVersion": "apiextensions.k8s.io/v1", "version": "v1"} in group["versions"]
    assert "customresourcedefinitions" in [one["name"] for one in api.get("/apis/apiextensions.k8s.io/v1")["resources"]]
