"""What a policy keeps, and which files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from skerry.engine.api.audit.policy import COMPLETE, RECEIVED, Level
from skerry.engine.api.audit.reading import PolicyError, parse_policy, read_policy
from skerry.engine.api.auth.access import Access, path_access
from skerry.engine.api.request import User

ANNA = User("anna", ("team", "system:authenticated"))
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- {level: None, users: ["system:kube-scheduler"]}
- {level: None, nonResourceURLs: ["/healthz*", "/version"]}
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- {level: RequestResponse, verbs: [delete], resources: [{group: "", resources: [pods], resourceNames: [x]}]}
- {level: Request, namespaces: [default], resources: [{group: apps}], omitManagedFields: false}
- {level: Metadata, userGroups: [team], resources: [{group: "*", resources: ["*/scale", "pods/*"]}]}
- {level: Metadata, namespaces: [""], omitStages: [ResponseComplete]}
"""


def access(verb: str, resource: str, group: str = "", namespace: str = "default", name: str = "x") -> Access:
    plural, _, subresource = resource.partition("/")
    return Access(verb, group, plural, subresource, namespace, "", ANNA, name)


@pytest.mark.parametrize(
    ("asked", "level"),
    [
        (access("get", "secrets"), Level.METADATA),
        (access("delete", "pods"), Level.RESPONSE),
        (access("delete", "pods", name="y"), Level.METADATA),  # "pods/*" is pods too, as in Kubernetes
        (access("delete", "configmaps", name="y"), Level.NONE),
        (access("update", "deployments", "apps"), Level.REQUEST),
        (access("update", "deployments", "apps", "other"), Level.NONE),
        (access("update", "deployments/scale", "apps", "other"), Level.METADATA),
        (access("get", "pods/log"), Level.METADATA),
        (access("get", "nodes", namespace=""), Level.METADATA),
        (access("get", "secrets")._replace(user=User("system:kube-scheduler")), Level.NONE),
        (path_access(ANNA, "get", "/healthz/ping"), Level.NONE),
        (path_access(ANNA, "get", "/api"), Level.NONE),
    ],
)
def test_the_first_rule_that_matches_counts(asked: Access, level: Level) -> None:
    assert parse_policy(POLICY).verdict(asked).level is level


def test_stages_and_managed_fields() -> None:
    policy = parse_policy(POLICY)
    assert policy.verdict(access("get", "nodes", namespace="")).omitted == {RECEIVED, COMPLETE}
    assert policy.verdict(access("get", "secrets")).omit_managed_fields
    assert not policy.verdict(access("update", "deployments", "apps")).omit_managed_fields


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- x", "must be a Policy of audit.k8s.io/v1"),
        ("{", "not valid YAML"),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy}", "at least one rule"),
        ("{apiVersion: audit.k8s.io/v1beta1, kind: Policy, rules: [{level: None}]}", "must be a Policy"),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{}]}", r"rules\[0\].level: Required value"),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: All}]}", "Unsupported value"),
        (
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, usres: []}]}",
            r'unknown field "rules\[0\]',
        ),
        ("{apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [X], rules: [{level: None}]}", "allowed stages are"),
        (
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, nonResourceURLs: [a]}]}",
            "must begin with a",
        ),
        (
            "{apiVersion: audit.k8s.io/v1, kind: Policy, "
            "rules: [{level: None, nonResourceURLs: [/a], namespaces: [b]}]}",
            "cannot apply to both",
        ),
        (
            "{apiVersion: audit.k8s.io/v1, kind: Policy, rules: "
            "[{level: None, resources: [{resourceNames: [x]}, {group: apps/v1}]}]}",
            "requires at least one resource",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(PolicyError, match=complaint):
        parse_policy(text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        read_policy(tmp_path / "none.yaml")
