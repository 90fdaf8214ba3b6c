"""Keeps the scheduler's picture of the cluster from what informers say, and says which pods to look at again.

Neighbours: `cluster` (the picture), `controller` (looks at pods). Handlers run in the order of events and are quick.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.controllers.pods import is_finished, node_of
from skerry.engine.controllers.scheduler.acting import NAME
from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.node_state import allocatable_of
from skerry.engine.controllers.scheduler.ranking import Rankings
from skerry.engine.controllers.scheduler.templates import PodFacts, facts_of
from skerry.engine.controllers.scheduler.waiting import Waiting
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, is_deleting, key_of, labels_of, name_of, uid_of
from skerry.kube.resources import NAMESPACES, NODES, PODS


class Watching:
    """Owns the picture. `look_at` a pod by key; `forget` what was said about one by uid."""

    def __init__(self, informers: Informers, look_at: Callable[[str], None], forget: Callable[[str], None]) -> None:
        self.cluster = Cluster()
        self.rankings = Rankings(self.cluster)
        self.waiting = Waiting()
        self._look_at = look_at
        self._forget = forget
        informers.of(NAMESPACES).add_handler(self._namespace_changed)
        informers.of(NODES).add_handler(self._node_changed)
        informers.of(PODS).add_handler(self._pod_changed)

    def not_placed(self, uid: str) -> None:
        """A pod could not be bound: its room is free."""
        if self.cluster.remove(uid):
            self._retry()

    def overruled(self, facts: PodFacts, node: str) -> list[PodFacts]:
        """Less important pods the node was kept for; it is not any more."""
        state = self.cluster.state(node)
        lower = [one for one in state.nominated.values() if one.priority < facts.priority] if state is not None else []
        for one in lower:
            self.cluster.nominate(one, "")
        return lower

    def _namespace_changed(self, delta: Delta) -> None:
        known, name = self.cluster.population.namespaces, name_of(delta.object)
        if delta.new is None:
            known.pop(name, None)
            return
        known[name] = labels_of(delta.new)
        if delta.old is not None and labels_of(delta.old) != labels_of(delta.new):
            self.rankings.forget_rules()
            self._retry(only_social=True)

    def _node_changed(self, delta: Delta) -> None:
        if delta.new is None:
            self.cluster.remove_node(name_of(delta.object))
            return
        if delta.old is None or _placing_view(delta.old) != _placing_view(delta.new):
            self.cluster.set_node(delta.new)
            self._retry()

    def _pod_changed(self, delta: Delta) -> None:
        pod = delta.object
        if delta.new is None or is_finished(pod):
            self._left(pod)
        elif node_of(pod):
            self._placed(pod, delta.old)
        elif is_ours(pod):
            self._unplaced(pod, delta.old)
        elif is_deleting(pod):
            self._left(pod)

    def _unplaced(self, pod: Obj, old: Obj | None) -> None:
        wanted = (pod.get("status") or {}).get("nominatedNodeName") or ""
        before = ((old or {}).get("status") or {}).get("nominatedNodeName") or ""
        if wanted != before:
            self.cluster.nominate(facts_of(pod), wanted)
        if old is None or not is_ours(old) or _asks(old) != _asks(pod) or (before and not wanted):
            self._look_at(key_of(pod))

    def _left(self, pod: Obj) -> None:
        self._no_longer_waits(pod)
        self._forget(uid_of(pod))
        if self.cluster.remove(uid_of(pod)):
            self._retry()

    def _no_longer_waits(self, pod: Obj) -> None:
        following = self.waiting.remove(key_of(pod))
        uid = uid_of(pod)
        if following is not None:
            self._look_at(following)
        if self.cluster.nomination(uid):
            self.cluster.nominate(facts_of(pod), "")
            self._retry()

    def _placed(self, pod: Obj, old: Obj | None) -> None:
        known = self.cluster.facts(uid_of(pod))
        if known is not None and self._is_old_news(known, pod):
            if not self.cluster.confirm(known, pod):
                return
            self._no_longer_waits(pod)
            if self.waiting:
                self._retry(only_social=True)
            return
        self._no_longer_waits(pod)
        facts = facts_of(pod)
        self.cluster.place(facts, node_of(pod))
        if known is not None and known.template is not facts.template:
            self._retry()  # resized: there may be more room now
        elif self.waiting:
            self._retry(only_social=True)

    def _is_old_news(self, known: PodFacts, pod: Obj) -> bool:
        """Whether nothing has changed that the picture shows: it is where we put it, or its status changed."""
        if self.cluster.place_of(known.uid) != node_of(pod) or known.is_deleting != is_deleting(pod):
            return False
        before = known.pod["spec"]
        return labels_of(known.pod) == labels_of(pod) and all(
            before.get(part) == pod["spec"].get(part) for part in _SIZES
        )

    def _retry(self, *, only_social: bool = False) -> None:
        for key in list(self.waiting.first_of_each(only_social=only_social)):
            self._look_at(key)
        if not only_social:
            for facts in self.cluster.nominated():  # they fare better than those like them
                self._look_at(key_of(facts.pod))


_SIZES = ("containers", "initContainers", "resources")
"""What of the spec of a placed pod may change and matters."""


def is_ours(pod: Obj) -> bool:
    """Whether the pod waits for this scheduler to place it."""
    spec = pod["spec"]
    mine = spec.get("schedulerName", NAME) == NAME
    return mine and not spec.get("nodeName") and not spec.get("schedulingGates") and not is_deleting(pod)


def _asks(pod: Obj) -> tuple[object, ...]:
    """What of a pod without a node decides where it can go."""
    return (pod["spec"], labels_of(pod))


def _placing_view(node: Obj) -> tuple[object, ...]:
    """What of a node decides who can come."""
    spec, status = node.get("spec") or {}, node.get("status") or {}
    return (
        uid_of(node),
        labels_of(node),
        spec.get("taints"),
        spec.get("unschedulable"),
        allocatable_of(status),
        status.get("images"),
    )
