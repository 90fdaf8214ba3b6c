"""apps/v1: workloads."""

from __future__ import annotations

from skerry.engine.schema import names
from skerry.engine.schema.kinds.apps.controller_revision import ControllerRevisionStrategy
from skerry.engine.schema.kinds.apps.daemon_set import DaemonSetStrategy
from skerry.engine.schema.kinds.apps.deployment import DeploymentStrategy
from skerry.engine.schema.kinds.apps.replica_set import ReplicaSetStrategy
from skerry.engine.schema.kinds.apps.stateful_set import StatefulSetStrategy
from skerry.engine.schema.kinds.declare import SCALABLE, STATUS, Group

GROUP = Group("apps", "v1", "io.k8s.api.apps")

KINDS = [
    GROUP.kind("controllerrevisions", "ControllerRevision", strategy=ControllerRevisionStrategy()),
    GROUP.kind("daemonsets", "DaemonSet", "ds", categories=("all",), subresources=STATUS, strategy=DaemonSetStrategy()),
    GROUP.kind(
        "deployments", "Deployment", "deploy", categories=("all",), subresources=SCALABLE, strategy=DeploymentStrategy()
    ),
    GROUP.kind(
        "replicasets",
        "ReplicaSet",
        "rs",
        categories=("all",),
        subresources=SCALABLE,
        selectable=("status.replicas",),
        strategy=ReplicaSetStrategy(),
    ),
    GROUP.kind(
        "statefulsets",
        "StatefulSet",
        "sts",
        categories=("all",),
        subresources=SCALABLE,
        strategy=StatefulSetStrategy(),
        name_rule=names.label,
    ),
]
