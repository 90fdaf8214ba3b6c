"""What a ReplicaSet and its ancestor, the ReplicationController, differ in: one controller serves both.

Source: Kubernetes `pkg/controller/replication` (`conversion.go`), which runs the ReplicaSet controller in the same way.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.controllers.ownership import Selects, by_selector
from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record
from skerry.kube.resources import REPLICA_SETS


@record
class Flavour:
    """`event_source` is the component events name; `unshown` are status fields that the kind does not have."""

    name: str
    resource: Resource
    event_source: str
    selects: Callable[[Obj], Selects]
    unshown: frozenset[str] = frozenset()


REPLICA_SET = Flavour("replicaset", REPLICA_SETS, "replicaset-controller", by_selector)
