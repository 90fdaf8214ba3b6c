"""The FlowSchemas and PriorityLevelConfigurations no cluster is without; clients look for them.

Source: the mandatory objects of Kubernetes' `apiserver/pkg/apis/flowcontrol/bootstrap/default.go`.
"""

from __future__ import annotations

from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import FLOW_SCHEMAS, PRIORITY_LEVELS

_ANNOTATIONS = {"apf.kubernetes.io/autoupdate-spec": "true"}
_MASTERS, _EVERYBODY = ("system:masters",), ("system:unauthenticated", "system:authenticated")


def _level(name: str, spec: Obj) -> Obj:
    return {"metadata": {"name": name, "annotations": _ANNOTATIONS}, "spec": spec}


def _schema(name: str, precedence: int, groups: tuple[str, ...], **distinguisher: Obj) -> Obj:
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"], "clusterScope": True}
    rule = {
        "subjects": [{"kind": "Group", "group": {"name": group}} for group in groups],
        "resourceRules": [everything],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }
    spec = {
        "matchingPrecedence": precedence,
        "priorityLevelConfiguration": {"name": name},
        "rules": [rule],
        **distinguisher,
    }
    return _level(name, spec)


MANDATORY: tuple[tuple[Resource, Obj], ...] = (
    (PRIORITY_LEVELS, _level("exempt", {"type": "Exempt"})),
    (
        PRIORITY_LEVELS,
        _level(
            "catch-all",
            {"type": "Limited", "limited": {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject"}}},
        ),
    ),
    (FLOW_SCHEMAS, _schema("exempt", 1, _MASTERS)),
    (FLOW_SCHEMAS, _schema("catch-all", 10_000, _EVERYBODY, distinguisherMethod={"type": "ByUser"})),
)
