"""CustomResourceValidationRules: CEL rules of definitions, what they refuse, what they may cost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.definitions import CRDS, Definition, random_definition
from tests.component.conformance.e2e_client import E2eClient

NUMBERS = {"type": "array", "maxItems": 1000, "items": {"type": "integer"}}
SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "x-kubernetes-validations": [
                {"rule": "self.x + self.y > 0"},
                {
                    "rule": "self.firstArray.isSorted() && self.secondArray.isSorted() && "
                    "((self.firstArray.sum() + self.secondArray.sum()) % 2 == 0)"
                },
                {"rule": "self.largeArray.all(x, self.largeArray.all(y, y == x))"},
            ],
            "properties": {
                "x": {"type": "integer"},
                "y": {"type": "integer"},
                "firstArray": NUMBERS,
                "secondArray": NUMBERS,
                "largeArray": {**NUMBERS, "maxItems": 725},
            },
        },
    },
}


def _spec(**properties: Any) -> Any:
    return {"type": "object", "properties": {"spec": {"type": "object", **properties}}}


def _object(definition: Definition, spec: Any) -> Any:
    return {"apiVersion": definition.api_version, "kind": definition.kind, "metadata": {"name": "cr-1"}, "spec": spec}


@pytest.fixture
def ruled(api: E2eClient, ns: str) -> tuple[Definition, str]:
    """A definition with rules, and where its objects are made."""
    definition = random_definition(api, SCHEMA, ("v1",), namespaced=True)
    return definition, definition.path_in(ns)


def test_rules_that_hold(api: E2eClient, ruled: tuple[Definition, str]) -> None:
    definition, path = ruled
    spec = {"x": 1, "y": 0, "firstArray": [3, 4], "secondArray": [5, 10], "largeArray": [2, 2]}
    api.create(path, _object(definition, spec))


def test_rules_that_fail(api: E2eClient, ruled: tuple[Definition, str]) -> None:
    definition, path = ruled
    refused = api.call("POST", path, _object(definition, {"x": 0, "y": 0}))
    assert refused.code == 422
    assert "failed rule" in refused.body["message"]


def test_a_run_that_costs_too_much(api: E2eClient, ruled: tuple[Definition, str]) -> None:
    definition, path = ruled
    refused = api.call("POST", path, _object(definition, {"largeArray": [20] * 725}))
    assert refused.code == 422
    assert "call cost exceeds limit" in refused.body["message"]


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        (
            _spec(
                **{"x-kubernetes-validations": [{"rule": "self.z == 100"}], "properties": {"x": {"type": "integer"}}}
            ),
            "undefined field 'z'",
        ),
        (_spec(**{"x-kubernetes-validations": [{"rule": "self = 42"}]}), "Syntax error"),
        (
            _spec(
                properties={
                    "x": {
                        "type": "array",
                        "items": {
                            "type": "array",
                            "items": {"type": "string"},
                            "x-kubernetes-validations": [{"rule": "self.all(s, s == 'string constant')"}],
                        },
                    }
                }
            ),
            "estimated rule cost exceeds budget by factor of more than 100x",
        ),
    ],
    ids=["unknown field", "syntax", "cost"],
)
def test_definitions_that_are_refused(api: E2eClient, unique: str, schema: Any, complaint: str) -> None:
    group = f"g{unique}.example.com"
    names = {"plural": "crs", "singular": "cr", "kind": "Cr", "listKind": "CrList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [version]}
    refused = api.call("POST", CRDS, {"metadata": {"name": f"crs.{group}"}, "spec": spec})
    assert refused.code == 422
    assert complaint in refused.body["message"]


def test_a_change_that_a_rule_forbids(api: E2eClient, ns: str) -> None:
    number = {"type": "integer", "x-kubernetes-validations": [{"rule": "self > oldSelf"}]}
    definition = random_definition(api, _spec(properties={"num": number}), ("v1",), namespaced=True)
    path = definition.path_in(ns)
    made = api.create(path, _object(definition, {"num": 10}))
    refused = api.call("PUT", f"{path}/cr-1", {**made, "spec": {"num": 9}})
    assert refused.code == 422
    assert "failed rule" in refused.body["message"]
