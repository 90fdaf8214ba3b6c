"""apps/v1: workloads."""

from __future__ import annotations

from skerry.engine.schema.kinds.declare import SCALABLE, STATUS, Group
from skerry.engine.schema.strategies import SpecStrategy

GROUP = Group("apps", "v1", "io.k8s.api.apps")

KINDS = [
    GROUP.kind("controllerrevisions", "ControllerRevision"),
    GROUP.kind("daemonsets", "DaemonSet", "ds", categories=("all",), subresources=STATUS, strategy=SpecStrategy()),
    GROUP.kind(
        "deployments", "Deployment", "deploy", categories=("all",), subresources=SCALABLE, strategy=SpecStrategy()
    ),
    GROUP.kind(
        "replicasets",
        "ReplicaSet",
        "rs",
        categories=("all",),
        subresources=SCALABLE,
        selectable=("status.replicas",),
        strategy=SpecStrategy(),
    ),
    GROUP.kind(
        "statefulsets", "StatefulSet", "sts", categories=("all",), subresources=SCALABLE, strategy=SpecStrategy()
    ),
]
