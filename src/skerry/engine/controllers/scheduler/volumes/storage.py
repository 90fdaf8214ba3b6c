"""What the rules on volumes know of the cluster: looks into caches, which they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from skerry.engine.controllers.scheduler.volumes.promises import Promise
from skerry.kube.objects import Obj
from skerry.kube.records import record


@record
class Storage:
    """All of it as of now, with what was decided here and is not written yet."""

    claim: Callable[[str, str], Obj | None]
    """By name and namespace."""
    volume: Callable[[str], Obj | None]
    storage_class: Callable[[str], Obj | None]
    candidates: Callable[[Obj], Iterable[Obj]] = lambda _: ()
    """Volumes that are a claim's, or nobody's and of its class, and not promised to another."""
    promise: Callable[[str], Promise | None] = lambda _: None
    """What was decided about a claim, by key."""
    users: Callable[[str], Mapping[str, str]] = lambda _: {}
    """Pods on nodes that use a claim, by key: node by uid of the pod."""
    driver: Callable[[str], Obj | None] = lambda _: None
    """CSIDrivers by name."""
    csi_node: Callable[[str], Obj | None] = lambda _: None
    """CSINodes by name."""
    capacities: Callable[[str], Sequence[Obj]] = lambda _: ()
    """CSIStorageCapacities by the name of the class."""
