"""scheduling.k8s.io/v1: which pods go first."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import Group
from skerry.engine.schema.kinds.scheduling.priority_class import PriorityClassStrategy

GROUP = Group("scheduling.k8s.io", "v1", "io.k8s.api.scheduling")

KINDS = [
    GROUP.kind("priorityclasses", "PriorityClass", "pc", namespaced=False, strategy=PriorityClassStrategy()),
]
