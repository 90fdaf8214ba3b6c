"""The tiers that come with Skerry. Operators may change them, or make their own."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.objects import Obj
from skerry.platform.projects.types import TIERS

_SPECS: dict[str, Obj] = {
    "free": {
        "description": "To try things out: small, for three months.",
        "quota": {
            "requests.cpu": "2",
            "limits.cpu": "2",
            "requests.memory": "4Gi",
            "limits.memory": "4Gi",
            "requests.storage": "10Gi",
            "pods": "20",
            "persistentvolumeclaims": "10",
            "services.loadbalancers": "0",
        },
        "budgets": {"cpuHours": 500},
        "lifetimeDays": 90,
        "limits": {"defaultRequest": {"cpu": "100m", "memory": "256Mi"}, "default": {"cpu": "1", "memory": "1Gi"}},
        "approval": "Automatic",
    },
    "guaranteed": {
        "description": "By agreement: what was agreed stands in the project's overrides. No expiry.",
        "limits": {"defaultRequest": {"cpu": "100m", "memory": "256Mi"}, "default": {"cpu": "1", "memory": "1Gi"}},
        "priority": 1000,
        "approval": "Manual",
    },
}


def built_in() -> Sequence[Obj]:
    """The objects to apply."""
    return [
        {"apiVersion": TIERS.api_version, "kind": TIERS.kind, "metadata": {"name": name}, "spec": spec}
        for name, spec in _SPECS.items()
    ]
