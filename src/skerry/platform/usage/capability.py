"""What this capability brings: kinds, rights, whose objects are whose, counting, reports, metrics."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.platform.base.capability import Capability, Context
from skerry.platform.usage.attributing.hook import attribution
from skerry.platform.usage.ledger.accountant import Accountant
from skerry.platform.usage.types import USAGE_DAY, USAGE_MONTH, USAGE_REPORT

_READ = ["get", "list", "watch"]
_WORKLOADS = ["deployments", "replicasets", "statefulsets", "daemonsets"]


def _controllers(context: Context) -> Sequence[Controller]:
    return [Accountant(context)]


USAGE = Capability(
    name="usage",
    kinds=(USAGE_DAY, USAGE_MONTH, USAGE_REPORT),
    rights=(
        {"apiGroups": ["skerry.dev"], "resources": ["projects", "tiers"], "verbs": _READ},
        {"apiGroups": ["skerry.dev"], "resources": ["projects/status"], "verbs": ["patch"]},
        {
            "apiGroups": ["skerry.dev"],
            "resources": ["usagedays", "usagemonths"],
            "verbs": ["get", "list", "create", "delete"],
        },
        {"apiGroups": ["skerry.dev"], "resources": ["usagedays/status", "usagemonths/status"], "verbs": ["update"]},
        {"apiGroups": [""], "resources": ["pods", "persistentvolumeclaims", "namespaces"], "verbs": _READ},
        {"apiGroups": [""], "resources": ["replicationcontrollers"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": _WORKLOADS, "verbs": ["get"]},
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["get"]},
        # What a node tells of its pods is to be had by its proxy only, which is more than it sounds: see limits.
        {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]},
    ),
    controllers=_controllers,
    hooks=lambda context: [attribution(context)],
)
