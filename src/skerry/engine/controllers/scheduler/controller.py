"""The scheduler's loop: takes pods without a node, decides, counts them at once, and binds them in parallel.

Between reading the picture of the cluster and assuming the pod there is no await, so decisions are one after the
other, the most important pod first, although bindings are not. A pod that fits nowhere waits in `_waiting` until
something changes that could help. Neighbours: `decide` and `preemption` (pure), `cluster` (the picture), `watching`
(keeps the picture), `acting` (the API).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.scheduler.acting import Acting
from skerry.engine.controllers.scheduler.decide import Placement, Unschedulable, decide
from skerry.engine.controllers.scheduler.preemption import NoPreemption, preempt
from skerry.engine.controllers.scheduler.templates import PodFacts, facts_of
from skerry.engine.controllers.scheduler.urgency import UrgentFirst
from skerry.engine.controllers.scheduler.volumes import Storage, VolumeNeeds, needs_of
from skerry.engine.controllers.scheduler.watching import Watching, is_ours
from skerry.kube.controller import Controller
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, Resource, key_of, split_key, uid_of
from skerry.kube.resources import (
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    POD_DISRUPTION_BUDGETS,
    PODS,
)
from skerry.kube.workqueue import WorkQueue

STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False)

Result = TypeVar("Result")


class Scheduler(Controller):
    """Binds pods whose `spec.schedulerName` is "default-scheduler"."""

    name = "scheduler"
    workers = 32

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._pods = context.informers.of(PODS)
        self._budgets = context.informers.of(POD_DISRUPTION_BUDGETS)
        claims = context.informers.of(PERSISTENT_VOLUME_CLAIMS)
        volumes, classes = context.informers.of(PERSISTENT_VOLUMES), context.informers.of(STORAGE_CLASSES)
        self._storage = Storage(claims.get, volumes.get, classes.get)
        self._acting = Acting(context)
        self.queue = WorkQueue(UrgentFirst(self._priority_of))
        self._watching = Watching(context.informers, self.queue.add, self._acting.forget)
        self._rankings = self._watching.rankings
        self._cluster = self._watching.cluster
        self._chosen: dict[str, str] = {}  # nodes of pods that wait for their claims to be bound, by uid
        for storage in (claims, volumes, classes):
            storage.add_handler(lambda _: self._storage_changed())

    async def reconcile(self, key: str) -> float | None:
        """Place one pod, or note why it cannot be."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is None or not is_ours(pod):
            return None
        if self._cluster.is_assumed(uid_of(pod)):
            await self._continue(pod)
            return None
        facts, needs = facts_of(pod), needs_of(pod, self._storage)
        if needs is not None and needs.refusal:
            await self._wait(facts, f"0/{len(self._cluster)} nodes are available: {needs.refusal}.")
            return None
        decision = decide(facts, self._rankings, needs.objection if needs is not None else None)
        if isinstance(decision, Placement):
            await self._place(facts, decision.node, needs)
        else:
            await self._refuse(facts, decision, needs)
        return None

    async def _place(self, facts: PodFacts, node: str, needs: VolumeNeeds | None) -> None:
        following = self._watching.waiting.remove(key_of(facts.pod))
        if following is not None:
            self.queue.add(following)
        self._cluster.assume(facts, node)
        if needs is not None and needs.unbound:
            self._chosen[facts.uid] = node
            await self._guarded(facts, asyncio.gather(*(self._acting.choose_node_of(c, node) for c in needs.unbound)))
            return
        await self._bind(facts, node)

    async def _bind(self, facts: PodFacts, node: str) -> None:
        if not await self._guarded(facts, self._acting.bind(facts.pod, node)):
            self._watching.not_placed(facts.uid)

    async def _continue(self, pod: Obj) -> None:
        """A pod whose node is chosen: its claims may be bound by now, or not be possible there."""
        node, needs = self._chosen.get(uid_of(pod), ""), needs_of(pod, self._storage)
        state = self._cluster.state(node)
        if not node or needs is None:
            return
        if needs.refusal or state is None or needs.objection(state) is not None:
            self._give_up(uid_of(pod))
            self.queue.add(key_of(pod))
        elif not needs.unbound:
            del self._chosen[uid_of(pod)]
            await self._bind(facts_of(pod), node)

    async def _guarded(self, facts: PodFacts, act: Awaitable[Result]) -> Result:
        try:
            return await act
        except (StatusError, OSError):
            self._give_up(facts.uid)
            raise

    def _give_up(self, uid: str) -> None:
        self._chosen.pop(uid, None)
        self._watching.not_placed(uid)

    async def _refuse(self, facts: PodFacts, refusal: Unschedulable, needs: VolumeNeeds | None) -> None:
        """See whether others can make room; wait otherwise."""
        if refusal.resolvable is None:
            await self._wait(facts, refusal.message)
            return
        budgets = self._budgets.list() if refusal.resolvable else ()
        plan = preempt(facts, self._rankings, refusal, budgets, needs.objection if needs is not None else None)
        if isinstance(plan, NoPreemption):
            if plan.hopeless:
                self._cluster.nominate(facts, "")
            await self._wait(facts, f"{refusal.message} {plan.message}", "" if plan.hopeless else None)
            return
        overruled = self._watching.overruled(facts, plan.node)
        self._cluster.nominate(facts, plan.node)
        following = self._watching.waiting.remove(key_of(facts.pod))  # to join again behind those like it
        if following is not None:
            self.queue.add(following)
        await self._wait(facts, refusal.message, plan.node)
        await asyncio.gather(*(self._acting.clear_nomination(one) for one in overruled))
        await self._acting.make_room(facts.pod, plan)

    async def _wait(self, facts: PodFacts, message: str, nominated: str | None = None) -> None:
        self._watching.waiting.add(facts)
        await self._acting.refuse(facts.pod, message, nominated)

    def _storage_changed(self) -> None:
        for key in self._watching.waiting.with_claims():
            self.queue.add(key)
        for uid in self._chosen:
            facts = self._cluster.facts(uid)
            if facts is not None:
                self.queue.add(key_of(facts.pod))

    def _priority_of(self, key: str) -> int:
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        return int(pod["spec"].get("priority") or 0) if pod is not None else 0
