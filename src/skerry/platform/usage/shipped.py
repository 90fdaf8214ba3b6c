"""Roles for people and programs that read usage; the policy that notes whose things are."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.usage.attributing.policy import policy
from skerry.platform.usage.serving.routes import METRICS

_READ = ["get", "list", "watch"]


def shipped() -> Sequence[Obj]:
    """The objects to apply."""
    return [
        *policy(),
        # Added to what Kubernetes lets everybody do who may view, edit or administer a namespace.
        _role(
            "skerry:usage:reports",
            {"apiGroups": ["skerry.dev"], "resources": ["usagereports"], "verbs": _READ},
            labels={f"rbac.authorization.k8s.io/aggregate-to-{one}": "true" for one in ("view", "edit", "admin")},
        ),
        _role(
            "skerry:usage:ledger",
            {"apiGroups": ["skerry.dev"], "resources": ["usagedays", "usagemonths", "usagereports"], "verbs": _READ},
        ),
        _role("skerry:usage:metrics", {"nonResourceURLs": [METRICS], "verbs": ["get"]}),
    ]


def _role(name: str, rule: Obj, labels: dict[str, str] | None = None) -> Obj:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        "rules": [rule],
    }
