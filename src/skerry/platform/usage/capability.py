"""What this capability brings: kinds, rights, whose objects are whose, counting, reports, metrics."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.kube.resources import NAMESPACES, PERSISTENT_VOLUME_CLAIMS, PODS
from skerry.platform.base.capability import Capability, Context
from skerry.platform.usage.attributing.hook import attribution
from skerry.platform.usage.ledger.accountant import Accountant
from skerry.platform.usage.ledger.ledger import Ledger
from skerry.platform.usage.ledger.merging import MonthKeeper
from skerry.platform.usage.metering.meter import Meter
from skerry.platform.usage.metering.spans import claim_span, pod_span
from skerry.platform.usage.reporting.reporter import Reporter
from skerry.platform.usage.serving.routes import usage_routes
from skerry.platform.usage.shipped import shipped
from skerry.platform.usage.types import USAGE_DAY, USAGE_MONTH, USAGE_REPORT

_READ = ["get", "list", "watch"]
_WORKLOADS = ["deployments", "replicasets", "statefulsets", "daemonsets"]


def _controllers(context: Context) -> Sequence[Controller]:
    ledger, meter = Ledger(context.client), _meter(context)
    reporter = Reporter(context, ledger, meter)
    return [Accountant(context, ledger, meter, reporter.counted), reporter, MonthKeeper(context)]


def _meter(context: Context) -> Meter:
    meter, informers = Meter(context.clock), context.informers
    meter.watch_namespaces(informers.of(NAMESPACES))
    meter.watch_holders(informers.of(PODS), pod_span)
    meter.watch_holders(informers.of(PERSISTENT_VOLUME_CLAIMS), claim_span)
    return meter


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
        {
            "apiGroups": ["skerry.dev"],
            "resources": ["usagereports"],
            "verbs": [*_READ, "create", "update", "delete"],
        },
        {"apiGroups": ["skerry.dev"], "resources": ["usagereports/status"], "verbs": ["update"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods", "persistentvolumeclaims", "namespaces"], "verbs": _READ},
        {"apiGroups": [""], "resources": ["replicationcontrollers"], "verbs": ["get"]},
        {"apiGroups": ["skerry.dev"], "resources": ["releases"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": _WORKLOADS, "verbs": ["get"]},
        {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["get"]},
        # What a node tells of its pods is to be had by its proxy only, which is more than it sounds: see limits.
        {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get"]},
    ),
    objects=shipped,
    controllers=_controllers,
    hooks=lambda context: [attribution(context)],
    routes=usage_routes,
)
