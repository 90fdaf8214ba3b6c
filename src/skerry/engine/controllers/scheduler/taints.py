"""Taints and tolerations. Source: Kubernetes `staging/src/k8s.io/api/core/v1/toleration.go`."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj

NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"
UNSCHEDULABLE: Obj = {"key": "node.kubernetes.io/unschedulable", "effect": NO_SCHEDULE}


def tolerates(toleration: Obj, taint: Obj) -> bool:
    """Whether one toleration covers one taint; what it leaves empty matches everything."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    value, bound = toleration.get("value") or "", taint.get("value") or ""
    if operator == "Equal":
        return bool(toleration.get("key")) and value == bound
    return operator in ("Lt", "Gt") and _compares(operator, bound, value)


def tolerated(tolerations: Iterable[Obj], taint: Obj) -> bool:
    """Whether any toleration covers the taint."""
    return any(tolerates(toleration, taint) for toleration in tolerations)


def repelling_taints(spec: Obj, node: Obj) -> list[Obj]:
    """The node's taints that keep a pod of this spec away."""
    taints = (node.get("spec") or {}).get("taints") or ()
    tolerations = spec.get("tolerations") or ()
    hard = (taint for taint in taints if taint.get("effect") in (NO_SCHEDULE, NO_EXECUTE))
    return [taint for taint in hard if not tolerated(tolerations, taint)]


def _compares(operator: str, bound: str, value: str) -> bool:
    try:
        return int(bound) < int(value) if operator == "Lt" else int(bound) > int(value)
    except ValueError:
        return False
