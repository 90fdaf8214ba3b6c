"""The scheduler's loop: takes pods without a node, decides, counts them at once, and binds them in parallel.

Between reading the picture of the cluster and assuming the pod there is no await, so decisions are one after the
other although bindings are not. A pod that fits nowhere waits in `_waiting` until something changes that could help:
a node, or a pod leaving one. Neighbours: `decide` (pure), `cluster` (the picture).
"""

from __future__ import annotations

from dataclasses import replace

from skerry.engine.controllers.conditions import conditions_of, find_condition, with_condition
from skerry.engine.controllers.context import Context
from skerry.engine.controllers.pods import is_finished, node_of
from skerry.engine.controllers.scheduler.cluster import Cluster, PodFacts, facts_of
from skerry.engine.controllers.scheduler.decide import Placement, decide
from skerry.engine.controllers.scheduler.neighbours import has_neighbour_rules
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, key_of, labels_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import NODES, PODS

NAME = "default-scheduler"


class Scheduler(Controller):
    """Binds pods whose `spec.schedulerName` is "default-scheduler"."""

    name = "scheduler"
    workers = 16

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder.named(NAME)
        self._pods = context.informers.of(PODS)
        self._nodes = context.informers.of(NODES)
        self._cluster = Cluster()
        self._waiting: dict[str, Obj] = {}
        self._said: dict[str, str] = {}
        self._nodes.add_handler(self._node_changed)
        self._pods.add_handler(self._pod_changed)

    async def reconcile(self, key: str) -> float | None:
        """Place one pod, or note why it cannot be."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is None or not is_ours(pod) or self._cluster.is_assumed(uid_of(pod)):
            return None
        facts = facts_of(pod)
        decision = decide(facts, self._cluster.nodes())
        if isinstance(decision, Placement):
            self._waiting.pop(key, None)
            self._cluster.assume(facts, decision.node)
            await self._bind(facts, decision.node)
        else:
            self._waiting[key] = pod
            await self._refuse(pod, decision.message)
        return None

    async def _bind(self, facts: PodFacts, node: str) -> None:
        pod = facts.pod
        metadata = {"name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)}
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
        try:
            await self._client.create(PODS, binding, namespace_of(pod), "binding")
        except NotFound:
            self._cluster.remove(facts.uid)
            return
        except (StatusError, OSError):
            self._cluster.remove(facts.uid)
            raise
        self._said.pop(facts.uid, None)
        self._recorder.event(pod, "Normal", "Scheduled", f"Successfully assigned {key_of(pod)} to {node}")

    async def _refuse(self, pod: Obj, message: str) -> None:
        """Say why in the condition and in an event, when it is news."""
        if self._said.get(uid_of(pod)) == message:
            return
        self._said[uid_of(pod)] = message
        self._recorder.event(pod, "Warning", "FailedScheduling", message)
        new = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        old = find_condition(conditions_of(pod), "PodScheduled") or {}
        if {key: old.get(key) for key in new} != new:
            status = {"conditions": with_condition(conditions_of(pod), new, self._clock.now())}
            await self._patch_status(pod, status)

    async def _patch_status(self, pod: Obj, status: Obj) -> None:
        try:
            metadata = {"resourceVersion": pod["metadata"]["resourceVersion"]}
            patch = {"metadata": metadata, "status": status}
            await self._client.patch(PODS, name_of(pod), patch, namespace_of(pod), subresource="status")
        except NotFound:
            return
        except StatusError:
            self._said.pop(uid_of(pod), None)
            raise

    def _node_changed(self, delta: Delta) -> None:
        if delta.new is None:
            self._cluster.remove_node(name_of(delta.object))
            return
        if delta.old is None or _placing_view(delta.old) != _placing_view(delta.new):
            self._cluster.set_node(delta.new)
            self._retry_waiting()

    def _pod_changed(self, delta: Delta) -> None:
        pod, key = delta.object, key_of(delta.object)
        if delta.new is None or is_finished(pod):
            self._left(pod, key)
        elif node_of(pod):
            self._waiting.pop(key, None)
            self._placed(pod, delta.old)
        elif is_ours(pod) and (delta.old is None or _asks(delta.old) != _asks(pod)):
            self.queue.add(key)

    def _left(self, pod: Obj, key: str) -> None:
        self._waiting.pop(key, None)
        self._said.pop(uid_of(pod), None)
        if self._cluster.remove(uid_of(pod)):
            self._retry_waiting()

    def _placed(self, pod: Obj, old: Obj | None) -> None:
        known = self._cluster.facts(uid_of(pod))
        if known is not None and known.pod["spec"].get("containers") == pod["spec"].get("containers"):
            self._cluster.place(replace(known, pod=pod), node_of(pod))
        else:
            self._cluster.place(facts_of(pod), node_of(pod))
            if known is not None:
                self._retry_waiting()  # resized: there may be more room now
        arrived = old is None or not node_of(old)
        if self._waiting and (arrived or labels_of(old or {}) != labels_of(pod)):
            self._retry_waiting(only_choosy=True)

    def _retry_waiting(self, only_choosy: bool = False) -> None:
        """Queue what waits, the most important first, then the oldest."""
        for key, pod in sorted(self._waiting.items(), key=lambda item: _urgency(item[1])):
            if not only_choosy or has_neighbour_rules(pod):
                self.queue.add(key)


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
        status.get("allocatable") or status.get("capacity"),
    )


def _urgency(pod: Obj) -> tuple[int, str]:
    return (-int(pod["spec"].get("priority") or 0), pod["metadata"].get("creationTimestamp", ""))
