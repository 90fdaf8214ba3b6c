"""FieldValidation: unknown and duplicate fields, of built-in kinds and of custom resources."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.component.conformance.definitions import random_definition
from tests.component.conformance.e2e_client import APPLY_PATCH, E2eClient

STRICT = "fieldManager=field_validation_mgr&fieldValidation=Strict"
_PORT = {
    "type": "object",
    "required": ["containerPort", "protocol"],
    "properties": {
        "containerPort": {"type": "integer", "format": "int32"},
        "hostIP": {"type": "string"},
        "hostPort": {"type": "integer", "format": "int32"},
        "name": {"type": "string"},
        "protocol": {"type": "string"},
    },
}
_FIELDS: dict[str, Any] = {
    "foo": {"type": "string"},
    "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
    "ports": {
        "type": "array",
        "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
        "x-kubernetes-list-type": "map",
        "items": _PORT,
    },
}
_SPEC = 'cronSpec: "* * * * */5"\n  ports:\n  - name: x\n    containerPort: 80\n    protocol: TCP'


def _deployment(metadata: str, spec: str) -> str:
    pod = '{"containers": [{"name": "nginx", "image": "nginx:latest"}]}'
    template = f'{{"metadata": {{"labels": {{"app": "nginx"}}}}, "spec": {pod}}}'
    return (
        '{"apiVersion": "apps/v1", "kind": "Deployment", '
        f'"metadata": {{"name": "my-dep", {metadata} "labels": {{"app": "nginx"}}}}, '
        f'"spec": {{ {spec} "selector": {{"matchLabels": {{"app": "nginx"}}}}, "template": {template} }} }}'
    )


@pytest.mark.parametrize("content_type", ["application/json", ""])
def test_detects_unknown_and_duplicate_fields_of_a_typed_object(api: E2eClient, ns: str, content_type: str) -> None:
    body = _deployment("", '"unknownField": "foo", "replicas": 2, "replicas": 3,')
    answer = api.call("POST", f"/apis/apps/v1/namespaces/{ns}/deployments?{STRICT}", body, content_type)
    assert answer.code == 400
    wanted = 'strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas"'
    assert wanted in answer.body["message"]


def test_detects_unknown_metadata_fields_of_a_typed_object(api: E2eClient, ns: str) -> None:
    body = _deployment('"unknownMeta": "foo",', "")
    answer = api.call("POST", f"/apis/apps/v1/namespaces/{ns}/deployments?{STRICT}", body)
    assert 'strict decoding error: unknown field "metadata.unknownMeta"' in answer.body["message"]


def _apply(api: E2eClient, spec_schema: Any, metadata: str, spec: str) -> Any:
    definition = random_definition(api, schema=spec_schema and {"type": "object", "properties": {"spec": spec_schema}})
    body = f"\napiVersion: {definition.api_version}\nkind: {definition.kind}\nmetadata:\n  name: mytest\n{metadata}"
    body += f"  finalizers:\n  - test-finalizer\n{spec}"
    answer = api.call("PATCH", f"{definition.path}/mytest?{STRICT}", body, APPLY_PATCH)
    if answer.code == 201:
        api.patch(f"{definition.path}/mytest", {"metadata": {"finalizers": None}})
    api.delete(definition.own_path)
    return answer


def test_applies_a_valid_object_to_a_schema(api: E2eClient) -> None:
    answer = _apply(api, {"type": "object", "properties": _FIELDS}, "", f"spec:\n  foo: foo1\n  {_SPEC}")
    assert answer.code == 201, answer.body


def test_applies_unknown_fields_where_there_is_no_schema(api: E2eClient) -> None:
    assert _apply(api, None, "", f"spec:\n  unknown: uk1\n  {_SPEC}").code == 201


def test_detects_extra_properties(api: E2eClient) -> None:
    spec = f"unknownField: unknown\nspec:\n  foo: foo1\n  {_SPEC}"
    answer = _apply(api, {"type": "object", "properties": _FIELDS}, "", spec)
    assert ".unknownField: field not declared in schema" in json.dumps(answer.body)


def test_detects_unknown_metadata_in_root_and_embedded_object(api: E2eClient) -> None:
    template = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": {"type": "object"},
        },
    }
    schema = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {**_FIELDS, "template": template},
    }
    inner = "template:\n    apiversion: foo/v1\n    kind: Sub\n    metadata:\n        unknownSubMeta: unknown\n"
    spec = f"spec:\n  {inner}        name: subobject\n        namespace: default\n  foo: foo1\n  {_SPEC}"
    said = json.dumps(_apply(api, schema, "  unknownMeta: unknown\n", spec).body)
    possible = ("spec.template.metadata.unknownSubMeta", "metadata.unknownMeta")
    assert any(f".{path}: field not declared in schema" in said for path in possible), said


def test_detects_duplicates_where_unknown_fields_are_preserved(api: E2eClient) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": _FIELDS}
    answer = _apply(api, schema, "", f"spec:\n  unknown: uk1\n  foo: foo1\n  foo: foo2\n  {_SPEC}")
    assert r"line 11: key \"foo\" already set in map" in json.dumps(answer.body)
