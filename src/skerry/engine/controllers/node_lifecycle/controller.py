"""Watches over nodes: a lease not renewed for 40 s makes the node `Unknown`; conditions become taints.

Silence is counted from when this program saw the last renewal, so neither a stopped engine nor a changed clock makes
healthy nodes look lost. Renewals come every ten seconds; nothing polls: each look makes the appointment for the next.
Pods of a silent node are marked not ready, but for this engine's own: its agent is in the same process, and would not
notice. Decisions are in `decide`.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.node_lifecycle.decide import (
    loses_its_pods,
    silent_conditions,
    unready_condition,
    wanted_taints,
)
from skerry.engine.controllers.pods import node_of
from skerry.engine.controllers.writing import write_status
from skerry.kube.conditions import conditions_of
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import LEASES, NODES, PODS

LEASE_NAMESPACE = "kube-node-lease"
GRACE = 40.0  # seconds
_BY_NODE = "node"


class NodeLifecycle(Controller):
    """Keys are nodes."""

    name = "node-lifecycle"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder.named("node-controller")
        self._heard: dict[str, datetime] = {}
        self._nodes = context.informers.of(NODES)
        self._leases = context.informers.of(LEASES)
        self._pods = context.informers.of(PODS)
        self._pods.add_index(_BY_NODE, lambda pod: (node_of(pod),) if node_of(pod) else ())
        self._own_node = context.config.node_name
        self._nodes.add_handler(self._node_changed)
        self._leases.add_handler(self._lease_changed)

    async def reconcile(self, key: str) -> float | None:
        """Judge one node; comes back when its lease would run out."""
        node = self._nodes.get(key)
        if node is None:
            self._heard.pop(key, None)
            return None
        now = self._clock.now()
        steady = self._clock.steady()
        left = GRACE - (steady - self._heard.setdefault(key, steady)).total_seconds()
        if left <= 0:
            node = await self._mark_silent(node, now)
        taints = wanted_taints(node, now)
        if taints != ((node.get("spec") or {}).get("taints") or []):
            metadata = {"resourceVersion": node["metadata"]["resourceVersion"]}
            await self._client.patch(NODES, key, {"metadata": metadata, "spec": {"taints": taints or None}})
        return left if left > 0 else None

    async def _mark_silent(self, node: Obj, now: datetime) -> Obj:
        conditions = silent_conditions(node, now)
        if conditions == conditions_of(node):
            return node
        name = name_of(node)
        self._recorder.event(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
        written = await write_status(
            self._client, NODES, node, {**(node.get("status") or {}), "conditions": conditions}
        )
        if loses_its_pods(node) and name != self._own_node:
            await asyncio.gather(*(self._mark_unready(pod, now) for pod in self._pods.by_index(_BY_NODE, name)))
        return written

    async def _mark_unready(self, pod: Obj, now: datetime) -> None:
        """Its Service does not send to it any more."""
        condition = unready_condition(pod, now)
        if condition is None:
            return
        self._recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")
        patch = {"metadata": {"uid": uid_of(pod)}, "status": {"conditions": [condition]}}
        where = (name_of(pod), namespace_of(pod))
        with contextlib.suppress(NotFound):
            await self._client.patch(PODS, where[0], patch, where[1], kind="strategic", subresource="status")

    def _node_changed(self, delta: Delta) -> None:
        """A node's own report is a sign of life too; ours (Unknown) is none."""
        new, old = delta.new, delta.old
        if new is not None and _heartbeats(new) != (_heartbeats(old) if old is not None else None):
            self._heard[name_of(new)] = self._clock.steady()
        if new is None or old is None or _judged(old) != _judged(new):
            self.queue.add(name_of(delta.object))

    def _lease_changed(self, delta: Delta) -> None:
        lease = delta.object
        if namespace_of(lease) == LEASE_NAMESPACE and delta.new is not None:
            self._heard[name_of(lease)] = self._clock.steady()
            if delta.old is None:
                self.queue.add(name_of(lease))


def _heartbeats(node: Obj) -> list[object]:
    return [condition.get("lastHeartbeatTime") for condition in conditions_of(node)]


def _judged(node: Obj) -> tuple[object, ...]:
    """What of a node decides its taints."""
    spec = node.get("spec") or {}
    states = [(condition["type"], condition.get("status")) for condition in conditions_of(node)]
    return spec.get("unschedulable"), spec.get("taints"), states
