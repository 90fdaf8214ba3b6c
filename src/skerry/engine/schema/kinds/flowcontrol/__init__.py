"""flowcontrol.apiserver.k8s.io/v1: how a server shares itself out among its clients.

Kept and checked, with the objects every cluster has; this server's own fairness (`engine.api.fairness`) has fixed rules
and does not read them.
"""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import STATUS, Group
from skerry.engine.schema.kinds.flowcontrol.flow_schema import FlowSchemaStrategy
from skerry.engine.schema.kinds.flowcontrol.priority_level import PriorityLevelStrategy

GROUP = Group("flowcontrol.apiserver.k8s.io", "v1", "io.k8s.api.flowcontrol")

KINDS = [
    GROUP.kind("flowschemas", "FlowSchema", namespaced=False, subresources=STATUS, strategy=FlowSchemaStrategy()),
    GROUP.kind(
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        namespaced=False,
        subresources=STATUS,
        strategy=PriorityLevelStrategy(),
    ),
]
