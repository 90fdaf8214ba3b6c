"""Rules on metadata, alike for all kinds."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema import validation
from skerry.engine.schema.contract import Kind

from .objects import APPS, CORE, REGISTRY, by_field, changed, created, pod, problems

CONFIG_MAPS = CORE["configmaps"]


def complaints(**metadata: Any) -> dict[str, str]:
    return problems(CONFIG_MAPS, {"metadata": {"name": "a", **metadata}})


def rule(group: str, plural: str) -> Kind:
    kind = REGISTRY.kind(group, "v1", plural)
    assert kind is not None
    return kind


def test_nothing_to_complain_about() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "1", "controller": True}
    assert not complaints(
        labels={"app.kubernetes.io/name": "web", "empty": ""},
        annotations={"Any.Case/x": "ü" * 1000},
        finalizers=["example.com/x", "orphan"],
        ownerReferences=[owner],
        generateName="a-",
    )


def test_names() -> None:
    assert complaints(name="A_b") == {
        "metadata.name": 'Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric '
        "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
        "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    }
    assert "must be no more than 253 bytes" in complaints(name="a" * 254)["metadata.name"]
    assert complaints(name="") == {"metadata.name": "Required value: name or generateName is required"}
    assert "metadata.name" in complaints(name="a\n")


@pytest.mark.parametrize(
    ("kind", "name", "legal"),
    [
        (CORE["namespaces"], "a.b", False),
        (CORE["services"], "1a", False),
        (CORE["services"], "a1", True),
        (CORE["pods"], "1.a", True),
        (rule("rbac.authorization.k8s.io", "roles"), "system:Node_x", True),
        (rule("rbac.authorization.k8s.io", "roles"), "a/b", False),
        (CORE["nodes"], "n1.example.com", True),
    ],
)
def test_name_rules_differ_by_kind(kind: Kind, name: str, legal: bool) -> None:
    obj = {"metadata": {"name": name, **({"namespace": "x"} if kind.resource.namespaced else {})}}
    assert ("metadata.name" not in by_field(validation.metadata.validate(kind, obj))) is legal


@pytest.mark.parametrize(
    ("metadata", "field", "message"),
    [
        ({"generateName": "A-"}, "metadata.generateName", "RFC 1123"),
        ({"namespace": "a.b"}, "metadata.namespace", "RFC 1123 label"),
        ({"labels": {"a b": "x"}}, "metadata.labels", 'Invalid value: "a b": name part must consist of'),
        ({"labels": {"a": "-x"}}, "metadata.labels", 'Invalid value: "-x": a valid label must be an empty string'),
        ({"labels": {"a": "x" * 64}}, "metadata.labels", "must be no more than 63 bytes"),
        ({"labels": {"/a": ""}}, "metadata.labels", "prefix part must be non-empty"),
        ({"labels": {"a/b/c": ""}}, "metadata.labels", "with an optional DNS subdomain prefix"),
        ({"annotations": {"a b": ""}}, "metadata.annotations", "name part"),
        ({"annotations": {"a": "x" * 262144}}, "metadata.annotations", "Too long: may not be more than 262144 bytes"),
        (
            {"finalizers": ["plain"]},
            "metadata.finalizers",
            "neither a standard finalizer name nor is it fully qualified",
        ),
        ({"ownerReferences": [{}]}, "metadata.ownerReferences[0].uid", "uid must not be empty"),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "1"}]},
            "metadata.ownerReferences[0]",
            "v1, Kind=Event is disallowed from being an owner",
        ),
        (
            {
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Pod", "name": n, "uid": n, "controller": True} for n in "ab"
                ]
            },
            "metadata.ownerReferences",
            'Found "true" in references for Pod/a and Pod/b',
        ),
    ],
)
def test_refused(metadata: dict[str, Any], field: str, message: str) -> None:
    assert message in complaints(**metadata)[field]


def test_cluster_scoped_objects_have_no_namespace() -> None:
    found = problems(CORE["nodes"], {"metadata": {"name": "n", "namespace": "x"}})
    assert found == {"metadata.namespace": "Forbidden: not allowed on this type"}


@pytest.mark.parametrize("part", ["name", "namespace", "uid", "creationTimestamp"])
def test_identity_is_immutable(part: str) -> None:
    old = created(CONFIG_MAPS, {"metadata": {"name": "a", "uid": "1", "creationTimestamp": "2024-01-01T00:00:00Z"}})
    _, causes = changed(CONFIG_MAPS, old, lambda obj: obj["metadata"].update({part: "2024-01-02T00:00:00Z".lower()}))
    assert causes[f"metadata.{part}"].endswith("field is immutable")


def test_no_new_finalizers_while_deleting() -> None:
    old = created(CONFIG_MAPS, {"metadata": {"name": "a", "finalizers": ["a/b"]}})
    old["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"
    assert not changed(CONFIG_MAPS, old, lambda obj: obj["metadata"].update(finalizers=[]))[1]
    _, causes = changed(CONFIG_MAPS, old, lambda obj: obj["metadata"].update(finalizers=["a/b", "a/c"]))
    assert "no new finalizers can be added" in causes["metadata.finalizers"]


def test_generation_counts_changes_of_the_spec() -> None:
    old = created(
        APPS["replicasets"],
        {
            "metadata": {"name": "a"},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]},
            },
        },
    )
    assert old["metadata"]["generation"] == 1
    assert old["status"] == {"replicas": 0}
    kind = APPS["replicasets"]
    assert changed(kind, old, lambda obj: obj["spec"].update(replicas=5))[0]["metadata"]["generation"] == 2
    assert changed(kind, old, lambda obj: obj["metadata"].update(labels={"x": "y"}))[0]["metadata"]["generation"] == 1
    new, causes = changed(kind, old, lambda obj: obj.update(status={"replicas": 9}))
    assert (new["status"], new["metadata"]["generation"], causes) == ({"replicas": 0}, 1, {})


def test_status_writes_touch_only_the_status() -> None:
    old = created(CORE["pods"], pod())
    new = created(CORE["pods"], pod(hostname="other"))
    new["status"] = {"phase": "Running"}
    new["metadata"]["labels"] = {"x": "y"}
    CORE["pods"].strategy.prepare_status(new, old)
    assert new == {**old, "status": {"phase": "Running"}}
