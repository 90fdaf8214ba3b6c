"""Which owner must look again when a pod changes: its controller, or for an orphan those who would take it over.

Source: the pod handlers of Kubernetes' workload controllers. Shared by ReplicaSet, StatefulSet, DaemonSet and Job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from skerry.engine.controllers.ownership import Selects
from skerry.engine.controllers.pods import replica_relevant
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, controller_of, key_of, labels_of, namespace_of


class PodWatch:
    """Connects pods to the queue of a controller of `owners`, whose `selects` says which orphans one would take."""

    def __init__(
        self,
        owners: Informer,
        selects: Callable[[Obj], Selects],
        add: Callable[[str], None],
        relevant: Callable[[Obj], tuple[object, ...]] = replica_relevant,
    ) -> None:
        """`relevant`: what an owner looks at; two states of a pod that agree in it need no second look."""
        self._owners = owners
        self._selects = selects
        self._add = add
        self._relevant = relevant

    def handle(self, delta: Delta) -> None:
        """The informer's handler."""
        old, new = delta.old, delta.new
        if old is None or new is None:
            self._add_all(self._keys_of(delta.object))
        elif self._may_concern(old, new) and self._relevant(old) != self._relevant(new):
            self._add_all((*self._keys_of(old), *self._keys_of(new)))

    def _add_all(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._add(key)

    def _may_concern(self, old: Obj, new: Obj) -> bool:
        """Cheap, for every change of every pod comes here: false when another kind owns it, before and after."""
        references = _references(new)
        kind = self._owners.resource.kind
        return references != _references(old) or all(one["kind"] == kind for one in references if one.get("controller"))

    def _keys_of(self, pod: Obj) -> Iterable[str]:
        reference = controller_of(pod)
        if reference is None:
            return self._takers_of(pod)
        owners = self._owners.resource
        if reference["kind"] == owners.kind and reference["apiVersion"] == owners.api_version:
            return (f"{namespace_of(pod)}/{reference['name']}",)
        return ()

    def _takers_of(self, orphan: Obj) -> Iterable[str]:
        for owner in self._owners.list(namespace_of(orphan)) if labels_of(orphan) else ():
            if self._selects(owner)(orphan):
                yield key_of(owner)


def _references(pod: Obj) -> list[Obj]:
    return pod["metadata"].get("ownerReferences") or []
