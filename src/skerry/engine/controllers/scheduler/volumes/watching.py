"""The scheduler's look at storage: caches, promises, and which pods a change concerns.

A change of a claim, or of a volume that is some claim's, concerns the pods of that claim; one of anything else all pods
that wait and have claims. Neighbours: `needs` and `binding` decide with what is here, the scheduler's loop acts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from skerry.engine.controllers.newest import Newest
from skerry.engine.controllers.scheduler.volumes.binding import Plan
from skerry.engine.controllers.scheduler.volumes.promises import Promise, Promises
from skerry.engine.controllers.scheduler.volumes.storage import Storage
from skerry.engine.controllers.volumes.users import UNPLACED, index_unplaced
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, key_of, name_of
from skerry.kube.resources import (
    CSI_DRIVERS,
    CSI_NODES,
    CSI_STORAGE_CAPACITIES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
)
from skerry.kube.volumes import binding_of, claim_of, class_of

_BINDING, _CLASS = "binding", "class"


class StorageWatching:
    """`look_at` a pod by key; `waiting`: keys of all pods with claims that wait."""

    def __init__(
        self,
        informers: Informers,
        users: Callable[[str], Mapping[str, str]],
        look_at: Callable[[str], None],
        waiting: Callable[[], Iterable[str]],
    ) -> None:
        self.claims = Newest(informers.of(PERSISTENT_VOLUME_CLAIMS))
        self.volumes = Newest(informers.of(PERSISTENT_VOLUMES))
        self.promises = Promises()
        self._pods = informers.of(PODS)
        self._capacities = informers.of(CSI_STORAGE_CAPACITIES)
        self._look_at, self._waiting = look_at, waiting
        classes, drivers, nodes = (informers.of(one) for one in (STORAGE_CLASSES, CSI_DRIVERS, CSI_NODES))
        index_unplaced(self._pods)
        self.volumes.cache.add_index(_BINDING, binding_of)
        self._capacities.add_index(_CLASS, lambda one: (one.get("storageClassName", ""),))
        self.storage = Storage(
            self.claims.get, self.volumes.get, classes.get, self._candidates, self.promises.of, users,
            drivers.get, nodes.get, lambda name: self._capacities.by_index(_CLASS, name),
        )  # fmt: skip
        self.claims.cache.add_handler(lambda delta: self._look_at_users(key_of(delta.object)))
        self.volumes.cache.add_handler(self._volume_changed)
        for others in (classes, drivers, nodes, self._capacities):
            others.add_handler(lambda _: self._look_at_all())

    def promise(self, uid: str, plan: Plan, node: str) -> None:
        """Until the plan is written and its pod bound, others see it through this."""
        promises = {key_of(claim): Promise(node) for claim in plan.made}
        promises |= {key_of(claim): Promise(node, name_of(volume)) for claim, volume in plan.found}
        self.promises.make(uid, promises)

    def _candidates(self, claim: Obj) -> Iterable[Obj]:
        for value in (key_of(claim), f"={class_of(claim)}"):
            for one in self.volumes.cache.by_index(_BINDING, value):
                volume = self.volumes.get(name_of(one))
                if volume is not None and self.promises.claim_with(name_of(one)) in ("", key_of(claim)):
                    yield volume

    def _volume_changed(self, delta: Delta) -> None:
        claim = claim_of(delta.object)
        if claim:
            self._look_at_users(claim)
        else:
            self._look_at_all()

    def _look_at_users(self, claim: str) -> None:
        for pod in self._pods.by_index(UNPLACED, claim):
            self._look_at(key_of(pod))

    def _look_at_all(self) -> None:
        for key in self._waiting():
            self._look_at(key)
