"""Pods whose node is chosen and whose claims are not bound yet: what is written for them, and how it turns out.

Source: `AssumePodVolumes`, `BindPodVolumes` and `checkBindings` of Kubernetes' plug-in `volumebinding`. Who cannot make
a volume on the selected node takes that from the claim, which sends the pod back to be placed anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal

from skerry.engine.controllers.scheduler.acting import Acting
from skerry.engine.controllers.scheduler.filters import Objection
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.volumes.binding import Plan, plan_at
from skerry.engine.controllers.scheduler.volumes.needs import VolumeNeeds
from skerry.engine.controllers.scheduler.volumes.watching import StorageWatching
from skerry.kube.objects import Obj, annotations_of, key_of
from skerry.kube.tasks import together
from skerry.kube.volumes import SELECTED_NODE

BINDING_SECONDS = 600.0
"""How long claims may take to be bound (`bindTimeoutSeconds`); then another node is looked for."""
Outcome = Literal["waiting", "bound", "failed"]


class Claiming:
    """By the uid of the pod."""

    def __init__(self, watching: StorageWatching, acting: Acting) -> None:
        self._watching = watching
        self._acting = acting
        self._chosen: dict[str, tuple[str, float]] = {}  # node, and when it has taken too long

    def choose(self, uid: str, needs: VolumeNeeds, state: NodeState) -> Awaitable[None]:
        """Decide at once, before anybody else is looked at; what is returned writes it. Raises StatusError, OSError."""
        plan = plan_at(needs.unbound, state, needs.storage)
        if isinstance(plan, Objection):  # the node was possible a moment ago, and nothing was awaited since
            raise AssertionError(f"{state.name} was chosen, and now: {plan.reasons}")
        self._watching.promise(uid, plan, state.name)
        self._chosen[uid] = (state.name, asyncio.get_running_loop().time() + BINDING_SECONDS)
        return self._write(plan, state.name)

    def node_of(self, uid: str) -> str:
        """The node that was chosen for a pod, or ""."""
        return self._chosen.get(uid, ("", 0.0))[0]

    def pods_of(self, node: str) -> list[str]:
        """Uids of the pods that were to go to a node."""
        return [uid for uid, (chosen, _) in self._chosen.items() if chosen == node]

    def outcome(self, uid: str, needs: VolumeNeeds, state: NodeState | None) -> Outcome:
        """How the claims of a pod are coming along. A volume that the cache does not show yet is waited for."""
        node, deadline = self._chosen[uid]
        if needs.refusal or state is None or asyncio.get_running_loop().time() >= deadline:
            return "failed"
        if any(volume is None for volume in needs.bound):
            return "waiting"
        if needs.unreachable(state) is not None:
            return "failed"
        if not needs.unbound:
            return "bound"
        return "waiting" if all(self._is_going_on(key_of(one), node) for one in needs.unbound) else "failed"

    def finish(self, uid: str) -> None:
        """Its claims are bound, or it is not going there."""
        self._chosen.pop(uid, None)
        self._watching.promises.release(uid)

    def _is_going_on(self, key: str, node: str) -> bool:
        """Whether a claim has been given a volume, or still says that one is to be made on the node."""
        promise = self._watching.promises.of(key)
        if promise is not None and promise.volume:
            return True
        namespace, _, name = key.partition("/")
        claim = self._watching.claims.get(name, namespace)
        return claim is not None and annotations_of(claim).get(SELECTED_NODE) == node

    async def _write(self, plan: Plan, node: str) -> None:
        """Everything comes to its end before a failure is told: what is written late must not meet another plan."""
        await together(*(self._give(claim, volume) for claim, volume in plan.found))
        await together(*(self._send(claim, node) for claim in plan.made))

    async def _give(self, claim: Obj, volume: Obj) -> None:
        self._watching.volumes.note(await self._acting.give_volume(claim, volume))

    async def _send(self, claim: Obj, node: str) -> None:
        self._watching.claims.note(await self._acting.choose_node_of(claim, node))
