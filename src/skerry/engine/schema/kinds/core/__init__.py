"""The core group, v1."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import SCALABLE, STATUS, Group
from skerry.engine.schema.names import dns1035, label
from skerry.engine.schema.strategies import SpecStrategy, UncountedStrategy

POD_SUBRESOURCES = frozenset({"status", "log", "exec", "attach", "portforward", "binding", "eviction"})
POD_FIELDS = (
    "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
    "status.phase", "status.podIP", "status.nominatedNodeName",
)  # fmt: skip
EVENT_FIELDS = (
    "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
    "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
    "reportingComponent", "type",
)  # fmt: skip

GROUP = Group("", "v1", "io.k8s.api.core")

KINDS = [
    GROUP.kind("configmaps", "ConfigMap", "cm"),
    GROUP.kind("endpoints", "Endpoints", "ep"),
    GROUP.kind("events", "Event", "ev", selectable=EVENT_FIELDS),
    GROUP.kind("limitranges", "LimitRange", "limits"),
    GROUP.kind(
        "namespaces",
        "Namespace",
        "ns",
        namespaced=False,
        name_rule=label,
        subresources=frozenset({"status", "finalize"}),
        selectable=("status.phase",),
        strategy=UncountedStrategy(),
    ),
    GROUP.kind(
        "nodes",
        "Node",
        "no",
        namespaced=False,
        subresources=STATUS,
        selectable=("spec.unschedulable",),
        strategy=UncountedStrategy(),
    ),
    GROUP.kind(
        "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", subresources=STATUS, strategy=UncountedStrategy()
    ),
    GROUP.kind(
        "persistentvolumes",
        "PersistentVolume",
        "pv",
        namespaced=False,
        subresources=STATUS,
        strategy=UncountedStrategy(),
    ),
    GROUP.kind(
        "pods",
        "Pod",
        "po",
        categories=("all",),
        subresources=POD_SUBRESOURCES,
        selectable=POD_FIELDS,
        strategy=SpecStrategy(),
    ),
    GROUP.kind("podtemplates", "PodTemplate"),
    GROUP.kind(
        "replicationcontrollers",
        "ReplicationController",
        "rc",
        categories=("all",),
        subresources=SCALABLE,
        selectable=("status.replicas",),
        strategy=SpecStrategy(),
    ),
    GROUP.kind("resourcequotas", "ResourceQuota", "quota", subresources=STATUS, strategy=UncountedStrategy()),
    GROUP.kind("secrets", "Secret", selectable=("type",)),
    GROUP.kind("serviceaccounts", "ServiceAccount", "sa"),
    GROUP.kind(
        "services",
        "Service",
        "svc",
        categories=("all",),
        name_rule=dns1035,
        subresources=STATUS,
        selectable=("spec.clusterIP", "spec.type"),
        strategy=UncountedStrategy(),
    ),
]
