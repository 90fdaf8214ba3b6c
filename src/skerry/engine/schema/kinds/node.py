"""node.k8s.io/v1: container runtimes by name."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import Group

GROUP = Group("node.k8s.io", "v1", "io.k8s.api.node")

KINDS = [
    GROUP.kind("runtimeclasses", "RuntimeClass", namespaced=False),
]
