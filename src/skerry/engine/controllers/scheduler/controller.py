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
from skerry.engine.controllers.scheduler.decide import NO_NODES, Placement, Unschedulable, decide
from skerry.engine.controllers.scheduler.preemption import NoPreemption, preempt
from skerry.engine.controllers.scheduler.templates import PodFacts, facts_of
from skerry.engine.controllers.scheduler.urgency import UrgentFirst
from skerry.engine.controllers.scheduler.volumes.claiming import BINDING_SECONDS, Claiming
from skerry.engine.controllers.scheduler.volumes.needs import VolumeNeeds, needs_of
from skerry.engine.controllers.scheduler.volumes.watching import StorageWatching
from skerry.engine.controllers.scheduler.watching import Watching, is_ours
from skerry.kube.controller import Controller
from skerry.kube.errors import StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, key_of, name_of, split_key, uid_of
from skerry.kube.resources import NODES, POD_DISRUPTION_BUDGETS, PODS
from skerry.kube.workqueue import WorkQueue

Result = TypeVar("Result")


def nowhere(why: str, nodes: int) -> str:
    """The message about a pod that no node is asked about."""
    useless = f"preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
    return f"0/{nodes} nodes are available: {why}. {useless}" if nodes else NO_NODES


class Scheduler(Controller):
    """Binds pods whose `spec.schedulerName` is "default-scheduler"."""

    name = "scheduler"
    workers = 32

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._pods = context.informers.of(PODS)
        self._budgets = context.informers.of(POD_DISRUPTION_BUDGETS)
        self._acting = Acting(context)
        self.queue = WorkQueue(UrgentFirst(self._priority_of))
        self._watching = Watching(context.informers, self.queue.add, self._forget)
        self._rankings = self._watching.rankings
        self._cluster = self._watching.cluster
        users, with_claims = self._cluster.claim_users.of, self._watching.waiting.with_claims
        watching = StorageWatching(context.informers, users, self.queue.add, lambda: list(with_claims()))
        self._storage = watching.storage
        self._claiming = Claiming(watching, self._acting)
        context.informers.of(NODES).add_handler(lambda delta: self._node_gone(delta) if delta.new is None else None)

    async def reconcile(self, key: str) -> float | None:
        """Place one pod, or note why it cannot be."""
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        if pod is None or not is_ours(pod):
            if pod is not None:
                self._claiming.finish(uid_of(pod))  # somebody else may have bound it
            return None
        if self._cluster.is_assumed(uid_of(pod)):
            await self._continue(pod)
            return None
        facts, needs = facts_of(pod), needs_of(pod, self._storage)
        if needs is not None and needs.refusal:
            await self._wait(facts, nowhere(needs.refusal, len(self._cluster)))
            return None
        decision = decide(facts, self._rankings, needs.objection if needs is not None else None)
        if isinstance(decision, Placement):
            return await self._place(facts, decision.node, needs)
        await self._refuse(facts, decision, needs)
        return None

    async def _place(self, facts: PodFacts, node: str, needs: VolumeNeeds | None) -> float | None:
        following = self._watching.waiting.remove(key_of(facts.pod))
        if following is not None:
            self.queue.add(following)
        state = self._cluster.state(node)
        if needs is not None and needs.unbound and state is not None:
            choosing = self._claiming.choose(facts.uid, needs, state)
            self._cluster.assume(facts, node)
            await self._guarded(facts, choosing)
            return BINDING_SECONDS
        self._cluster.assume(facts, node)
        await self._bind(facts, node)
        return None

    async def _bind(self, facts: PodFacts, node: str) -> None:
        if not await self._guarded(facts, self._acting.bind(facts.pod, node)):
            self._watching.not_placed(facts.uid)

    async def _continue(self, pod: Obj) -> None:
        """A pod whose node is chosen: its claims may be bound by now, or not be possible there."""
        facts, needs = facts_of(pod), needs_of(pod, self._storage)
        node = self._claiming.node_of(facts.uid)
        if not node or needs is None:
            return
        outcome = self._claiming.outcome(facts.uid, needs, self._cluster.state(node))
        if outcome == "failed":
            self._give_up(facts.uid)
            self.queue.add(key_of(pod))
        elif outcome == "bound":
            self._claiming.finish(facts.uid)
            await self._bind(facts, node)

    async def _guarded(self, facts: PodFacts, act: Awaitable[Result]) -> Result:
        try:
            return await act
        except (StatusError, OSError):
            self._give_up(facts.uid)
            raise

    def _give_up(self, uid: str) -> None:
        self._claiming.finish(uid)
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

    def _forget(self, uid: str) -> None:
        """The pod is gone, or over."""
        self._acting.forget(uid)
        self._claiming.finish(uid)

    def _node_gone(self, delta: Delta) -> None:
        for uid in self._claiming.pods_of(name_of(delta.object)):
            facts = self._cluster.facts(uid)
            if facts is not None:
                self.queue.add(key_of(facts.pod))

    def _priority_of(self, key: str) -> int:
        namespace, name = split_key(key)
        pod = self._pods.get(name, namespace)
        return int(pod["spec"].get("priority") or 0) if pod is not None else 0
