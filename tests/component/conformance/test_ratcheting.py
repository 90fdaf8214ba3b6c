"""CRDValidationRatcheting: a stricter schema does not complain about what an update leaves as it was."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.component.conformance.definitions import Definition, random_definition
from tests.component.conformance.e2e_client import APPLY_PATCH, E2eClient
from tests.support.waiting import eventually

SENTINEL = "__update_schema_sentinel_field__"
TRANSITION = {"x-kubernetes-validations": [{"rule": "self != oldSelf"}], "maxLength": 5}
OPTIONAL = {
    "x-kubernetes-validations": [
        {"rule": "!oldSelf.hasValue() || self != oldSelf.value()", "optionalOldSelf": True},
    ],
    "maxLength": 5,
}
BY_SCHEMA = ["field", "struct.field", "list[0].field", "list[1].field", "map.foo.field", "map.bar.field"]
BY_RULE = ["field", "struct.field", "list[0].field", "list[1].field", "map[foo].field", "map[bar].field"]


def _fields(field: Any) -> Any:
    """A schema that has one kind of field everywhere where old and new values can be told to belong together."""
    field = {"type": "string", **field}
    struct = {"type": "object", "properties": {"field": field, "otherField": {"type": "string"}}}
    keyed = {**struct["properties"], "key": {"type": "string"}}
    return {
        "field": field,
        "otherField": {"type": "string"},
        "struct": struct,
        "list": {
            "type": "array",
            "maxItems": 5,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["key"],
            "items": {"type": "object", "properties": keyed, "required": ["key"]},
        },
        "map": {"type": "object", "maxProperties": 5, "additionalProperties": struct},
    }


def _values(field: str, **more: str) -> Any:
    struct = {"field": field, **more}
    listed = [{"key": "foo", **struct}, {"key": "bar", **struct}]
    return {**struct, "struct": struct, "list": listed, "map": {"foo": struct, "bar": struct}}


def _arrays(item: Any) -> Any:
    array = {"type": "array", "items": {"type": "string", **item}}
    return {"atomicArray": array, "setArray": {**array, "x-kubernetes-list-type": "set"}}


class Resource:
    """One custom resource, applied, and the schema of its definition."""

    def __init__(self, api: E2eClient, definition: Definition, path: str) -> None:
        self._api, self._definition, self._path = api, definition, path

    def apply(self, values: Any, name: str = "test-resource", **metadata: Any) -> str:
        """What the API complains about, "" when it takes it."""
        obj = {"apiVersion": self._definition.api_version, "kind": self._definition.kind, **values}
        body = {**obj, "metadata": {"name": name, **metadata}}
        answer = self._api.call("PATCH", f"{self._path}/{name}?fieldManager=manager", body, APPLY_PATCH)
        return "" if answer.code < 300 else str(answer.body["message"])

    def constrain(self, properties: Any) -> None:
        """Give the definition another schema and wait until it is in force."""
        word = str(uuid.uuid4())
        sentinel = {SENTINEL: {"type": "string", "enum": [word]}}
        schema = {"type": "object", "properties": {**properties, **sentinel}}
        schemas = {"schema": {"openAPIV3Schema": schema}}
        self._api.change(self._definition.own_path, lambda now: now["spec"]["versions"][0].update(schemas))

        def is_in_force() -> bool:
            """Asked with objects that are new: of one that is there, what it had would stay."""
            return word in self.apply({SENTINEL: "another"}, f"sentinel-{uuid.uuid4()}")

        eventually(is_in_force, "the schema to be in force")


@pytest.fixture
def resource(api: E2eClient, ns: str) -> Resource:
    definition = random_definition(api, versions=("v1",), namespaced=True)
    return Resource(api, definition, definition.path_in(ns))


@pytest.mark.parametrize("constraint", [{"enum": ["notfoo"]}, {"x-kubernetes-validations": [{"rule": 'self == "b"'}]}])
def test_what_is_unchanged_is_not_complained_about(resource: Resource, constraint: Any) -> None:
    assert not resource.apply(_values("foo"))
    resource.constrain(_fields(constraint))
    assert not resource.apply(_values("foo"), labels={"foo": "bar"})
    changed = _values("foo", otherField="doesntmatter")
    changed["list"].append({"key": "baz", "field": "notfoo" if "enum" in constraint else "b"})
    assert not resource.apply(changed)


@pytest.mark.parametrize(
    ("constraint", "paths"),
    [({"enum": ["foo"]}, BY_SCHEMA), ({"x-kubernetes-validations": [{"rule": 'self == "foo"'}]}, BY_RULE)],
)
def test_what_changes_must_meet_the_schema(resource: Resource, constraint: Any, paths: list[str]) -> None:
    assert not resource.apply(_values("foo"))
    resource.constrain(_fields(constraint))
    said = resource.apply(_values("notfoo"))
    assert [path for path in paths if path not in said] == []


@pytest.mark.parametrize(
    "constraint",
    [{"enum": ["notfoo", "notbar", "notbaz"]}, {"x-kubernetes-validations": [{"rule": 'self != "foo"'}]}],
)
def test_items_that_cannot_be_told_apart_are_checked_again(resource: Resource, constraint: Any) -> None:
    words = ["foo", "bar", "baz"]
    assert not resource.apply({"setArray": words, "atomicArray": words})
    resource.constrain(_arrays(constraint))
    more = [*words, "notfoo"]
    said = resource.apply({"setArray": more, "atomicArray": more}, labels={"foo": "bar"})
    assert "atomicArray" in said
    assert "setArray" in said


def test_rules_about_the_change_itself_always_hold(resource: Resource) -> None:
    assert not resource.apply(_values("foo"))
    resource.constrain(_fields(TRANSITION))
    _check_all(lambda: resource.apply(_values("foo"), labels={"foo": "bar"}))


def test_there_may_be_no_old_value(resource: Resource) -> None:
    resource.constrain(_fields(OPTIONAL))
    assert not resource.apply(_values("foo"))
    _check_all(lambda: resource.apply(_values("foo"), labels={"foo": "bar"}))
    assert not resource.apply(_values("new"))


def _check_all(apply: Callable[[], str]) -> None:
    said = apply()
    assert [path for path in BY_RULE if path not in said] == []
