"""Pods nobody else will remove: on a node that is gone, finished ones beyond a limit, unbound ones asked to go.

Source: Kubernetes `pkg/controller/podgc`, here driven by changes instead of a timer. Keys are pods; the key "finished"
stands for the look at all finished pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.pods import is_finished, node_of
from skerry.kube.clock import rfc3339
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import NODES, PODS

MOST_FINISHED = 12_500
_QUARANTINE = 40.0  # seconds that a node must be away before its pods are given up
_FINISHED = "finished"
_BY_NODE, _BY_END = "node", "finished"


class PodGarbageCollector(Controller):
    """Removes pods that have no node agent to do it."""

    name = "pod-garbage-collector"
    workers = 2

    def __init__(self, context: Context, most_finished: int = MOST_FINISHED, quarantine: float = _QUARANTINE) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._most_finished = most_finished
        self._quarantine = quarantine
        self._recorder = context.recorder.named("pod-garbage-collector")
        self._pods = context.informers.of(PODS)
        self._nodes = context.informers.of(NODES)
        self._pods.add_index(_BY_NODE, lambda pod: (node_of(pod),) if node_of(pod) else ())
        self._pods.add_index(_BY_END, lambda pod: (_FINISHED,) if is_finished(pod) else ())
        self._pods.add_handler(self._pod_changed)
        self._nodes.add_handler(self._node_changed)

    async def reconcile(self, key: str) -> float | None:
        """Remove what has to go."""
        if key == _FINISHED:
            await self._remove_oldest_finished()
            return None
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is not None and (self._has_lost_its_node(pod) or is_leaving_unbound(pod)):
            await self._give_up(pod)
        return None

    async def _remove_oldest_finished(self) -> None:
        finished = self._pods.by_index(_BY_END, _FINISHED)
        surplus = len(finished) - self._most_finished
        for pod in sorted(finished, key=_created)[: max(0, surplus)]:
            await self._remove(pod)

    async def _give_up(self, pod: Obj) -> None:
        """Nobody will say how it ended, so it has failed: who counts its pods (a Job) waits for that."""
        status = failed_status(pod, self._clock.now(), lost=self._has_lost_its_node(pod))
        if status is not None:
            try:
                patch = {"metadata": {"uid": uid_of(pod)}, "status": status}
                await self._client.patch(
                    PODS, name_of(pod), patch, namespace_of(pod), kind="strategic", subresource="status"
                )
            except NotFound:
                return
        await self._remove(pod)

    async def _remove(self, pod: Obj) -> None:
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(pod)}}
        try:
            await self._client.delete(PODS, name_of(pod), namespace_of(pod), options)
        except NotFound:
            return

    def _has_lost_its_node(self, pod: Obj) -> bool:
        return bool(node_of(pod)) and self._nodes.get(node_of(pod)) is None

    def _pod_changed(self, delta: Delta) -> None:
        pod = delta.new
        if pod is None:
            return
        if is_leaving_unbound(pod):
            self.queue.add(key_of(pod))
        elif (delta.old is None or not node_of(delta.old)) and self._has_lost_its_node(pod):
            self.queue.add_after(key_of(pod), self._quarantine)
        if is_finished(pod) and self._pods.count(_BY_END, _FINISHED) > self._most_finished:
            self.queue.add(_FINISHED)

    def _node_changed(self, delta: Delta) -> None:
        if delta.new is None:
            for key in self._keys_on(name_of(delta.object)):
                self.queue.add_after(key, self._quarantine)

    def _keys_on(self, node: str) -> Iterable[str]:
        return [key_of(pod) for pod in self._pods.by_index(_BY_NODE, node)]


def failed_status(pod: Obj, now: datetime, *, lost: bool) -> Obj | None:
    """What the status of a pod that is given up changes to, None when it has ended already. `lost`: with its node."""
    if is_finished(pod):
        return None
    if not lost:
        return {"phase": "Failed"}
    why = {"reason": "DeletionByPodGC", "message": "PodGC: node no longer exists"}
    disrupted = {"type": "DisruptionTarget", "status": "True", "lastTransitionTime": rfc3339(now), **why}
    return {"phase": "Failed", "conditions": [disrupted]}


def is_leaving_unbound(pod: Obj) -> bool:
    """Whether it was asked to go before any node had it."""
    return is_deleting(pod) and not node_of(pod)


def _created(pod: Obj) -> str:
    return str(pod["metadata"].get("creationTimestamp", ""))
