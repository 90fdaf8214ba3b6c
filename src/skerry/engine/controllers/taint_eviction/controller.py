"""Evicts pods by NoExecute taints: looks when a node's taints or a pod's tolerations change, and when time is up.

Keys are pods. Time runs from when the taints were first seen here, so a restart of the engine gives every pod its time
again. Nothing polls: a pod that may stay for a while is an appointment. Decisions are in `decide`.
"""

from __future__ import annotations

from datetime import datetime

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.pods import is_finished, node_of
from skerry.engine.controllers.taint_eviction.decide import evicting_taints, may_stay
from skerry.kube.conditions import with_condition
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import NODES, PODS

SETTLING = 40.0
"""Seconds after the start in which taints about the health of this engine's own node do not evict."""
_BY_NODE = "node"


class TaintEviction(Controller):
    """One for all nodes."""

    name = "taint-eviction"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._own_node = context.config.node_name
        self._started = context.clock.steady()
        self._recorder = context.recorder.named("taint-eviction-controller")
        self._since: dict[str, tuple[str, datetime]] = {}  # by key: uid, and since when its time runs
        self._nodes = context.informers.of(NODES)
        self._pods = context.informers.of(PODS)
        self._pods.add_index(_BY_NODE, lambda pod: (node_of(pod),) if node_of(pod) else ())
        self._nodes.add_handler(self._node_changed)
        self._pods.add_handler(self._pod_changed)

    async def reconcile(self, key: str) -> float | None:
        """Evict one pod, or come back when its time is up."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is None or is_deleting(pod) or is_finished(pod):
            self._since.pop(key, None)
            return None
        now = self._clock.steady()
        allowed = self._allowed(pod, now)
        if allowed is None:
            self._cancel(key, pod)
            return None
        uid, since = self._since.get(key, ("", now))
        since = since if uid == uid_of(pod) else now
        left = allowed - (now - since).total_seconds()
        if left > 0:
            self._since[key] = (uid_of(pod), since)
            return left
        await self._evict(key, pod)
        return None

    def _allowed(self, pod: Obj, now: datetime) -> float | None:
        node = self._nodes.get(node_of(pod))
        taints = evicting_taints(node) if node is not None else []
        if not taints:
            return None
        settling = 0.0
        if node_of(pod) == self._own_node:
            settling = SETTLING - (now - self._started).total_seconds()
        return may_stay(pod["spec"].get("tolerations") or (), taints, settling)

    async def _evict(self, key: str, pod: Obj) -> None:
        self._since.pop(key, None)
        self._recorder.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key}")
        target = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager"}
        target["message"] = "Taint manager: deleting due to NoExecute taint"
        conditions = with_condition([], target, self._clock.now())  # merged into the others by type
        patch = {"metadata": {"uid": uid_of(pod)}, "status": {"conditions": conditions}}
        where = (name_of(pod), namespace_of(pod))
        try:
            await self._client.patch(PODS, where[0], patch, where[1], kind="strategic", subresource="status")
            await self._client.delete(PODS, *where, {"preconditions": {"uid": uid_of(pod)}})
        except NotFound:
            return

    def _cancel(self, key: str, pod: Obj) -> None:
        if self._since.pop(key, None) is not None:
            self._recorder.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")

    def _node_changed(self, delta: Delta) -> None:
        old, new = delta.old, delta.new
        before = evicting_taints(old) if old is not None else []
        after = evicting_taints(new) if new is not None else []
        if before != after:
            for pod in self._pods.by_index(_BY_NODE, name_of(delta.object)):
                self.queue.add(key_of(pod))

    def _pod_changed(self, delta: Delta) -> None:
        old, new = delta.old, delta.new
        key = key_of(delta.object)
        if new is None:
            self._since.pop(key, None)
        elif node_of(new) and (old is None or _view(old) != _view(new)) and self._is_tainted(node_of(new)):
            self.queue.add(key)

    def _is_tainted(self, name: str) -> bool:
        node = self._nodes.get(name)
        return node is not None and bool(evicting_taints(node))


def _view(pod: Obj) -> tuple[object, ...]:
    """What of a pod decides it."""
    return node_of(pod), pod["spec"].get("tolerations")
