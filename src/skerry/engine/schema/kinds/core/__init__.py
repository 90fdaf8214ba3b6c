"""The core group, v1."""

from __future__ import annotations

from skerry.engine.schema.kinds.core.claims import ClaimStrategy
from skerry.engine.schema.kinds.core.config_map import ConfigMapStrategy
from skerry.engine.schema.kinds.core.endpoints import EndpointsStrategy
from skerry.engine.schema.kinds.core.event import EventStrategy
from skerry.engine.schema.kinds.core.limit_range import LimitRangeStrategy
from skerry.engine.schema.kinds.core.namespace import NamespaceStrategy
from skerry.engine.schema.kinds.core.node import NodeStrategy
from skerry.engine.schema.kinds.core.pod import PodStrategy
from skerry.engine.schema.kinds.core.replication_controller import ReplicationControllerStrategy
from skerry.engine.schema.kinds.core.resource_quota import ResourceQuotaStrategy
from skerry.engine.schema.kinds.core.secret import SecretStrategy
from skerry.engine.schema.kinds.core.service import ServiceStrategy
from skerry.engine.schema.kinds.core.volumes import VolumeStrategy
from skerry.engine.schema.kinds.declare import SCALABLE, STATUS, Group
from skerry.engine.schema.names import dns1035, label

POD_SUBRESOURCES = frozenset({
    "status", "log", "exec", "attach", "portforward", "binding", "eviction", "ephemeralcontainers", "resize", "proxy",
})  # fmt: skip
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

_DEPRECATED = "v1 ComponentStatus is deprecated in v1.19+"

KINDS = [
    GROUP.kind("bindings", "Binding", verbs=("create",)),
    GROUP.kind(
        "componentstatuses",
        "ComponentStatus",
        "cs",
        namespaced=False,
        verbs=("get", "list"),
        deprecation=_DEPRECATED,
    ),
    GROUP.kind("configmaps", "ConfigMap", "cm", strategy=ConfigMapStrategy()),
    GROUP.kind("endpoints", "Endpoints", "ep", strategy=EndpointsStrategy()),
    GROUP.kind("events", "Event", "ev", selectable=EVENT_FIELDS, strategy=EventStrategy()),
    GROUP.kind("limitranges", "LimitRange", "limits", strategy=LimitRangeStrategy()),
    GROUP.kind(
        "namespaces",
        "Namespace",
        "ns",
        namespaced=False,
        name_rule=label,
        subresources=frozenset({"status", "finalize"}),
        selectable=("status.phase",),
        strategy=NamespaceStrategy(),
    ),
    GROUP.kind(
        "nodes",
        "Node",
        "no",
        namespaced=False,
        subresources=STATUS | {"proxy"},
        selectable=("spec.unschedulable",),
        strategy=NodeStrategy(),
    ),
    GROUP.kind("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", subresources=STATUS, strategy=ClaimStrategy()),
    GROUP.kind(
        "persistentvolumes",
        "PersistentVolume",
        "pv",
        namespaced=False,
        subresources=STATUS,
        strategy=VolumeStrategy(),
    ),
    GROUP.kind(
        "pods",
        "Pod",
        "po",
        categories=("all",),
        subresources=POD_SUBRESOURCES,
        selectable=POD_FIELDS,
        strategy=PodStrategy(),
    ),
    GROUP.kind("podtemplates", "PodTemplate"),
    GROUP.kind(
        "replicationcontrollers",
        "ReplicationController",
        "rc",
        categories=("all",),
        subresources=SCALABLE,
        selectable=("status.replicas",),
        strategy=ReplicationControllerStrategy(),
    ),
    GROUP.kind("resourcequotas", "ResourceQuota", "quota", subresources=STATUS, strategy=ResourceQuotaStrategy()),
    GROUP.kind("secrets", "Secret", selectable=("type",), strategy=SecretStrategy()),
    GROUP.kind("serviceaccounts", "ServiceAccount", "sa", subresources=frozenset({"token"})),
    GROUP.kind(
        "services",
        "Service",
        "svc",
        categories=("all",),
        name_rule=dns1035,
        subresources=STATUS | {"proxy"},
        selectable=("spec.clusterIP", "spec.type"),
        strategy=ServiceStrategy(),
    ),
]
