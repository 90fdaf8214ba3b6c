"""Storage, networking, roles and the rest: kinds stored and checked before anything acts on them."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.engine.schema.contract import Kind
from skerry.kube.objects import Obj

from .objects import REGISTRY, changed, created, deployment, problems

KINDS = {kind.resource.plural: kind for kind in REGISTRY.kinds()}


def named(**fields: Any) -> Obj:
    return {"metadata": {"name": "a"}, **fields}


CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
VOLUME = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}
BACKEND = {"service": {"name": "web", "port": {"number": 80}}}
BINDING = {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}
SCALER = {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}


def ingress(**path: Any) -> Obj:
    wanted = {"path": "/", "pathType": "Prefix", "backend": BACKEND, **path}
    return named(spec={"rules": [{"host": "a.example.com", "http": {"paths": [wanted]}}]})


def secured(**tls: Any) -> Obj:
    return named(spec={**ingress()["spec"], "tls": [tls]})


GOOD = {
    "persistentvolumeclaims": named(spec=CLAIM),
    "persistentvolumes": named(spec=VOLUME),
    "storageclasses": named(provisioner="x.y/z"),
    "ingresses": secured(hosts=["a.example.com", "*.example.com", "192.0.2.1"], secretName="a.b"),
    "networkpolicies": named(
        spec={"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}]}
    ),
    "roles": named(rules=[{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]),
    "clusterroles": named(rules=[{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}]),
    "rolebindings": named(**BINDING),
    "poddisruptionbudgets": named(spec={"minAvailable": "50%", "selector": {"matchLabels": {"a": "b"}}}),
    "horizontalpodautoscalers": named(spec=SCALER),
    "priorityclasses": named(value=5),
    "runtimeclasses": named(
        handler="crun",
        overhead={"podFixed": {"cpu": "10m"}},
        scheduling={"nodeSelector": {"a": "b"}, "tolerations": [{"key": "a", "operator": "Exists"}]},
    ),
    "replicationcontrollers": named(spec={"template": deployment()["spec"]["template"]}),
}


@pytest.mark.parametrize("plural", GOOD)
def test_accepted(plural: str) -> None:
    kind = KINDS[plural]
    assert not problems(kind, GOOD[plural])
    old = created(kind, GOOD[plural])
    assert not changed(kind, old, lambda obj: obj["metadata"].update(labels={"x": "y"}))[1]


@pytest.mark.parametrize(
    ("plural", "path", "value"),
    [
        ("persistentvolumeclaims", "spec.volumeMode", "Filesystem"),
        ("persistentvolumeclaims", "status.phase", "Pending"),
        ("persistentvolumes", "spec.persistentVolumeReclaimPolicy", "Retain"),
        ("storageclasses", "reclaimPolicy", "Delete"),
        ("storageclasses", "volumeBindingMode", "Immediate"),
        ("networkpolicies", "spec.policyTypes", ["Ingress"]),
        ("networkpolicies", "metadata.generation", 1),
        ("rolebindings", "roleRef.apiGroup", "rbac.authorization.k8s.io"),
        ("horizontalpodautoscalers", "spec.minReplicas", 1),
        ("priorityclasses", "preemptionPolicy", "PreemptLowerPriority"),
        ("replicationcontrollers", "spec.selector", {"app": "web"}),
    ],
)
def test_defaults(plural: str, path: str, value: object) -> None:
    found: Any = created(KINDS[plural], GOOD[plural])
    for part in path.split("."):
        found = found[part]
    assert found == value


@pytest.mark.parametrize(
    ("plural", "obj", "field", "message"),
    [
        ("persistentvolumeclaims", named(spec={}), "spec.accessModes", "at least 1 access mode is required"),
        ("persistentvolumeclaims", named(spec={}), "spec.resources[storage]", "Required value"),
        ("persistentvolumes", named(spec={}), "spec.capacity", "Required value"),
        ("persistentvolumes", named(spec={**VOLUME, "accessModes": ["Any"]}), "spec.accessModes", "Unsupported value"),
        ("storageclasses", named(), "provisioner", "Required value"),
        ("storageclasses", named(provisioner="a", volumeBindingMode="x"), "volumeBindingMode", "Unsupported value"),
        ("runtimeclasses", named(handler="a_b"), "handler", "lower case alphanumeric"),
        ("runtimeclasses", named(handler="a", overhead={"podFixed": {"cpu": "-1"}}), "overhead.limits[cpu]", "must be"),
        (
            "runtimeclasses",
            named(handler="a", scheduling={"tolerations": [{"operator": "Exists"}] * 2}),
            "scheduling.tolerations[1]",
            "Duplicate value",
        ),
        ("ingresses", named(spec={}), "spec", "either `defaultBackend` or `rules` must be specified"),
        ("ingresses", ingress(pathType=None), "spec.rules[0].http.paths[0].pathType", "pathType must be specified"),
        ("ingresses", ingress(path="x"), "spec.rules[0].http.paths[0].path", "must be an absolute path"),
        ("ingresses", ingress(backend={}), "spec.rules[0].http.paths[0].backend", "backend is required"),
        ("ingresses", named(spec={"rules": [{"host": "1.2.3.4"}]}), "spec.rules[0].host", "not an IP address"),
        ("ingresses", named(spec={"rules": [{"host": "*"}]}), "spec.rules[0].host", "must start with '*.'"),
        ("ingresses", secured(hosts=["a.b", "*.*.b"]), "spec.tls[0].hosts[1]", "must start with '*.'"),
        ("ingresses", secured(hosts=["a.b:443"]), "spec.tls[0].hosts[0]", "RFC 1123 subdomain"),
        ("ingresses", secured(secretName="A_b"), "spec.tls[0].secretName", "RFC 1123 subdomain"),
        (
            "networkpolicies",
            named(spec={"ingress": [{"from": [{}]}]}),
            "spec.ingress[0].from[0]",
            "must specify a peer",
        ),
        (
            "networkpolicies",
            named(spec={"egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}]}]}),
            "spec.egress[0].to[0].ipBlock.except[0]",
            "must be a strict subset of `cidr`",
        ),
        (
            "networkpolicies",
            named(spec={"ingress": [{"ports": [{"port": 90, "endPort": 80}]}]}),
            "spec.ingress[0].ports[0].endPort",
            "must be greater than or equal to `port`",
        ),
        ("roles", named(rules=[{}]), "rules[0].verbs", "verbs must contain at least one value"),
        (
            "roles",
            named(rules=[{"verbs": ["get"], "nonResourceURLs": ["/"]}]),
            "rules[0].nonResourceURLs",
            "namespaced",
        ),
        ("rolebindings", named(roleRef={"kind": "Role"}), "roleRef.name", "Required value"),
        ("clusterrolebindings", named(**BINDING), "roleRef.kind", 'supported values: "ClusterRole"'),
        (
            "rolebindings",
            named(**{**BINDING, "subjects": [{"kind": "ServiceAccount", "name": "x"}]}),
            "subjects[0].namespace",
            "Required value",
        ),
        ("poddisruptionbudgets", named(spec={"minAvailable": 1, "maxUnavailable": 1}), "spec", "cannot be both set"),
        ("horizontalpodautoscalers", named(spec={**SCALER, "minReplicas": 5}), "spec.maxReplicas", "`minReplicas`"),
        ("priorityclasses", named(value=2_000_000_000), "value", "maximum allowed value"),
        ("replicationcontrollers", named(spec={}), "spec.selector", "Required value"),
    ],
)
def test_refused(plural: str, obj: Obj, field: str, message: str) -> None:
    assert message in problems(KINDS[plural], obj)[field]


@pytest.mark.parametrize(
    ("plural", "change", "field"),
    [
        ("persistentvolumeclaims", {"spec": {**CLAIM, "accessModes": ["ReadWriteMany"]}}, "spec"),
        ("persistentvolumeclaims", {"spec": {**CLAIM, "resources": {"requests": {"storage": "2Gi"}}}}, "spec"),
        ("persistentvolumes", {"spec": {**VOLUME, "hostPath": {"path": "/y"}}}, "spec.persistentvolumesource"),
        ("persistentvolumes", {"spec": {**VOLUME, "volumeMode": "Block"}}, "volumeMode"),
        ("storageclasses", {"provisioner": "other"}, "provisioner"),
        ("storageclasses", {"volumeBindingMode": "WaitForFirstConsumer"}, "volumeBindingMode"),
        ("rolebindings", {"roleRef": {"kind": "Role", "name": "other"}}, "roleRef"),
        ("priorityclasses", {"value": 6}, "value"),
    ],
)
def test_immutable(plural: str, change: Obj, field: str) -> None:
    kind: Kind = KINDS[plural]
    assert field in changed(kind, created(kind, GOOD[plural]), lambda obj: obj.update(change))[1]
