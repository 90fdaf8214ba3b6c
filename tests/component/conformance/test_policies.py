"""ValidatingAdmissionPolicy: deployments measured against expressions, with and without variables."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.conformance.definitions import random_definition
from tests.component.conformance.e2e_client import E2eClient
from tests.support.waiting import eventually

ROOT = "/apis/admissionregistration.k8s.io/v1"


def _deployment(name: str, replicas: int) -> Any:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    return {"metadata": {"name": name}, "spec": spec}


@pytest.mark.parametrize(
    ("variables", "expression"),
    [
        ([], "object.spec.replicas > 1"),
        ([{"name": "replicas", "expression": "object.spec.replicas"}], "variables.replicas > 1"),
    ],
)
def test_validates_a_deployment(api: E2eClient, ns: str, unique: str, variables: Any, expression: str) -> None:
    api.patch(f"/api/v1/namespaces/{ns}", {"metadata": {"labels": {unique: "true"}}})
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}
    validation = {
        "expression": expression,
        "messageExpression": "'wants replicas > 1, got ' + string(object.spec.replicas)",
    }
    spec = {
        "matchConstraints": {"resourceRules": [rule], "namespaceSelector": {"matchLabels": {unique: "true"}}},
        "variables": variables,
        "validations": [validation],
        "failurePolicy": "Fail",
    }
    policy = f"{ROOT}/validatingadmissionpolicies/{unique}.policy.example.com"
    api.create(f"{ROOT}/validatingadmissionpolicies", {"metadata": {"name": policy.rpartition("/")[2]}, "spec": spec})
    status = api.until(policy, lambda found: found["status"].get("observedGeneration") == 1)["status"]
    assert not status["typeChecking"].get("expressionWarnings")
    bound = {"policyName": policy.rpartition("/")[2], "validationActions": ["Deny"]}
    api.create(f"{ROOT}/validatingadmissionpolicybindings", {"metadata": {"name": f"b-{unique}"}, "spec": bound})
    path = f"/apis/apps/v1/namespaces/{ns}/deployments"

    def refusal() -> str:
        answer = api.call("POST", f"{path}?dryRun=All", _deployment("marker", 1))
        return answer.body["message"] if answer.code == 422 else ""

    assert "wants replicas > 1, got 1" in eventually(refusal, "a policy in force")
    assert api.call("POST", path, _deployment("replicated", 2)).code == 201
    assert api.call("POST", path, _deployment("non-replicated", 1)).code == 422
    api.delete(f"{ROOT}/validatingadmissionpolicybindings/b-{unique}")
    api.delete(policy)


def _checked(api: E2eClient, unique: str, rule: Any, *expressions: str, **more: str) -> Any:
    """The warnings that a policy's status shows."""
    rule = {"apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], **rule}
    spec = {
        "matchConstraints": {"resourceRules": [rule], "namespaceSelector": {"matchLabels": {unique: "true"}}},
        "validations": [{"expression": each, **more} for each in expressions],
    }
    path = f"{ROOT}/validatingadmissionpolicies"
    name = api.create(path, {"metadata": {"generateName": f"p-{unique}"}, "spec": spec})["metadata"]["name"]
    found = api.until(f"{path}/{name}", lambda policy: policy["status"].get("typeChecking") is not None)
    api.delete(f"{path}/{name}")
    return found["status"]["typeChecking"].get("expressionWarnings", [])


def test_type_checks_expressions(api: E2eClient, unique: str) -> None:
    rule = {"apiGroups": ["apps"], "resources": ["deployments"]}
    assert _checked(api, unique, rule, "object.spec.replicas > 1") == []
    message = "'wants replicas > 1, got ' + object.spec.replicas"
    first, second = _checked(api, unique, rule, "object.spec.replicas > '1'", messageExpression=message)
    assert first["fieldRef"] == "spec.validations[0].expression"
    assert "found no matching overload for '_>_' applied to '(int, string)'" in first["warning"]
    assert second["fieldRef"] == "spec.validations[0].messageExpression"
    assert "found no matching overload for '_+_' applied to '(string, int)'" in second["warning"]


def test_type_checks_custom_resources(api: E2eClient, unique: str) -> None:
    spec = {"type": "object", "properties": {"replicas": {"type": "integer"}, "image": {"type": "string"}}}
    definition = random_definition(api, {"type": "object", "properties": {"spec": spec}}, ("v1",), namespaced=True)
    rule = {"apiGroups": [definition.group], "resources": [definition.plural]}
    assert _checked(api, unique, rule, "object.spec.replicas > 1 && object.metadata.name != ''") == []
    first, second = _checked(api, unique, rule, "object.spec.replicas > '1'", "object.spec.maxRetries < 10")
    assert first["fieldRef"] == "spec.validations[0].expression"
    assert "found no matching overload for '_>_' applied to '(int, string)'" in first["warning"]
    assert second["fieldRef"] == "spec.validations[1].expression"
    assert "undefined field 'maxRetries'" in second["warning"]
    api.delete(definition.own_path)
