"""What the scheduler writes to the API: bindings, reasons, nominations, and the end of pods that have to make room.

Source: `handleSchedulingFailure` and `schedule_one.go` of Kubernetes' scheduler, `framework/preemption` for victims.
Nothing is decided here. Neighbour: `controller`.
"""

from __future__ import annotations

import asyncio

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.scheduler.preemption import REASON, Preemption
from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.engine.controllers.volumes.writing import bound_volume
from skerry.kube.conditions import condition_of, conditions_of, with_condition
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.objects import Obj, annotations_of, is_deleting, key_of, name_of, namespace_of, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS
from skerry.kube.volumes import SELECTED_NODE

NAME = "default-scheduler"


class Acting:
    """On behalf of one scheduler."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder.named(NAME)
        self._said: dict[str, tuple[str, str]] = {}

    async def bind(self, pod: Obj, node: str) -> bool:
        """Put the pod on the node. False when it is gone; raises StatusError, OSError when it cannot be bound."""
        metadata = {"name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)}
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
        try:
            await self._client.create(PODS, binding, namespace_of(pod), "binding")
        except NotFound:
            return False
        self.forget(uid_of(pod))
        self._recorder.event(pod, "Normal", "Scheduled", f"Successfully assigned {key_of(pod)} to {node}")
        return True

    async def choose_node_of(self, claim: Obj, node: str) -> Obj:
        """Tell who provides volumes where the claim's first consumer will be. Returns the claim."""
        if annotations_of(claim).get(SELECTED_NODE) == node:
            return claim
        patch = {"metadata": {"annotations": {SELECTED_NODE: node}}}
        return await self._client.patch(PERSISTENT_VOLUME_CLAIMS, name_of(claim), patch, namespace_of(claim))

    async def give_volume(self, claim: Obj, volume: Obj) -> Obj:
        """Write the claim on a volume; the binder does the rest. Raises Conflict when somebody was faster."""
        return await self._client.update(PERSISTENT_VOLUMES, bound_volume(volume, claim))

    async def refuse(self, pod: Obj, message: str, nominated: str | None = None) -> None:
        """Say why in the condition and in an event, when it is news. `nominated`: the node kept for the pod, ""
        for none any more, None to leave what it says."""
        before = (pod.get("status") or {}).get("nominatedNodeName") or ""
        wanted = before if nominated is None else nominated
        if self._said.get(uid_of(pod)) == (message, wanted):
            return
        if self._said.get(uid_of(pod), ("", ""))[0] != message:
            self._recorder.event(pod, "Warning", "FailedScheduling", message)
        self._said[uid_of(pod)] = (message, wanted)
        new: Obj = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        new["observedGeneration"] = pod["metadata"].get("generation")
        old = condition_of(pod, "PodScheduled") or {}
        status: Obj = {}
        if {key: old.get(key) for key in new} != new:
            status["conditions"] = with_condition(conditions_of(pod), new, self._clock.now())
        if wanted != before:
            status["nominatedNodeName"] = wanted or None
        if status:
            await self._patch_status(pod, status)

    async def make_room(self, preemptor: Obj, plan: Preemption) -> None:
        """Have the victims go. Raises the first failure, after all have been tried."""
        going = (self._end(one.pod, preemptor, plan.node) for one in plan.victims if not one.is_deleting)
        failures = [one for one in await asyncio.gather(*going, return_exceptions=True) if one is not None]
        if failures:
            raise failures[0]

    async def clear_nomination(self, facts: PodFacts) -> None:
        """A more important pod takes the room that was kept for this one."""
        try:
            patch = {"status": {"nominatedNodeName": None}}
            await self._client.patch(PODS, name_of(facts.pod), patch, facts.namespace, subresource="status")
        except NotFound:
            return

    def forget(self, uid: str) -> None:
        """The pod is placed or gone."""
        self._said.pop(uid, None)

    async def _end(self, victim: Obj, preemptor: Obj, node: str) -> None:
        scheduler = preemptor["spec"].get("schedulerName", NAME)
        message = f"{scheduler}: preempting to accommodate a higher priority pod"
        target = {"type": "DisruptionTarget", "status": "True", "reason": REASON, "message": message}
        conditions = with_condition([], target, self._clock.now())  # merged into the others by type
        where = (name_of(victim), namespace_of(victim))
        try:
            patch = {"metadata": {"uid": uid_of(victim)}, "status": {"conditions": conditions}}
            await self._client.patch(PODS, where[0], patch, where[1], kind="strategic", subresource="status")
            await self._client.delete(PODS, *where, {"preconditions": {"uid": uid_of(victim)}})
        except NotFound:
            return
        self._recorder.event(victim, "Normal", "Preempted", f"Preempted by pod {uid_of(preemptor)} on node {node}")

    async def _patch_status(self, pod: Obj, status: Obj) -> None:
        if is_deleting(pod):
            return
        try:
            metadata = {"resourceVersion": pod["metadata"]["resourceVersion"]}
            patch = {"metadata": metadata, "status": status}
            await self._client.patch(PODS, name_of(pod), patch, namespace_of(pod), subresource="status")
        except NotFound:
            return
        except StatusError:
            self.forget(uid_of(pod))
            raise
