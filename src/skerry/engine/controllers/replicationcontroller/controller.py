"""ReplicationControllers: as ReplicaSets, but with a plain map as selector. Neighbour: `replicaset`, which does it all.

Source: Kubernetes `pkg/controller/replication`.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.ownership import by_plain_selector
from skerry.engine.controllers.replicaset.controller import ReplicaSetController
from skerry.engine.controllers.replicaset.flavour import Flavour
from skerry.kube.resources import REPLICATION_CONTROLLERS

REPLICATION_CONTROLLER = Flavour(
    "replicationcontroller",
    REPLICATION_CONTROLLERS,
    "replication-controller",
    by_plain_selector,
    unshown=frozenset({"terminatingReplicas"}),
)


class ReplicationControllerController(ReplicaSetController):
    """Brings the number of pods to what is wanted and says how many there are."""

    name = REPLICATION_CONTROLLER.name

    def __init__(self, context: Context) -> None:
        super().__init__(context, REPLICATION_CONTROLLER)
