"""StatefulSets: finds what `plan` needs, has `acting` carry it out, writes `status`, forgets old revisions.

Source of the behaviour: Kubernetes `pkg/controller/statefulset`. A cache that lags behind our writes is waited for, so
that no step is taken twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.failed_pods import FailedPods
from skerry.engine.controllers.history.keeper import RevisionKeeper
from skerry.engine.controllers.history.revisions import surplus
from skerry.engine.controllers.owner_controller import LAGGING, OwnerController
from skerry.engine.controllers.ownership import Claimer, index_controllers
from skerry.engine.controllers.pod_watch import PodWatch
from skerry.engine.controllers.pods import is_finished
from skerry.engine.controllers.statefulset.acting import StatefulPods
from skerry.engine.controllers.statefulset.identity import members_of, owner_and_ordinal, revision_of
from skerry.engine.controllers.statefulset.plan import Situation, plan
from skerry.engine.controllers.statefulset.status import (
    Revisions,
    known_revisions,
    seconds_until_next_available,
    stateful_set_status,
)
from skerry.engine.controllers.writing import Written, namespace_is_ending, write_status
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS, STATEFUL_SETS

_HASH_LABEL = "controller.kubernetes.io/hash"
_LONGEST_BACK_OFF = 10.0  # seconds; Kubernetes has none, but for what its clients may ask of the API in a second


class StatefulSetController(OwnerController):
    """Brings pods with identities up, down and up to date, in order."""

    name = "statefulset"

    def __init__(self, context: Context) -> None:
        super().__init__(context, STATEFUL_SETS)
        self._pods = context.informers.of(PODS)
        self._claims = context.informers.of(PERSISTENT_VOLUME_CLAIMS)
        index_controllers(self._pods)
        self._written = self.waits_for(Written(self._pods))
        self._claimer = Claimer(context.client, STATEFUL_SETS, self._pods, members_of)
        self._failed = FailedPods(_LONGEST_BACK_OFF)
        self._keeper = self.waits_for(RevisionKeeper(context, STATEFUL_SETS, _HASH_LABEL))
        self._acting = StatefulPods(context.client, context.recorder.named("statefulset-controller"), self._written)
        self.watch(self._owners)
        self._pods.add_handler(PodWatch(self._owners, members_of, self.queue.add).handle)
        self._pods.add_handler(self._pod_gone)
        self._claims.add_handler(self._claim_gone)

    def forget(self, key: str) -> None:
        """Its failed pods, too."""
        super().forget(key)
        self._failed.forget(key)

    async def sync(self, key: str, owner: Obj) -> float | None:
        """One step, then the status."""
        pods = await self._claimer.claimed(owner)
        if is_deleting(owner):
            await self._report(owner, pods, known_revisions(owner))
            return None
        history = await self._keeper.history(owner)
        current = history.named(known_revisions(owner).current) or history.update
        decided = plan(self._situation(owner, current, history.update, pods))
        self._note_failed(key, decided.delete)
        error = await self._acting.carry_out(owner, decided)
        if error is None and not self._written.seen(key):
            return LAGGING  # the pods' events are on their way: the status is written once they are here
        revisions = Revisions(name_of(current), name_of(history.update), history.collisions)
        await self._report(owner, pods, revisions)
        await self._forget_old(owner, pods, revisions, history.revisions)
        if error is not None and not namespace_is_ending(error):
            raise error
        later = [*decided.wait, seconds_until_next_available(owner, pods, self._clock.now())]
        return min((seconds for seconds in later if seconds is not None), default=None)

    def _note_failed(self, key: str, deleted: Iterable[Obj]) -> None:
        for pod in deleted:
            if is_finished(pod):
                self._failed.deleted(key, name_of(pod), self._clock.steady())

    def _situation(self, owner: Obj, current: Obj, update: Obj, pods: Sequence[Obj]) -> Situation:
        def claim(name: str) -> Obj | None:
            return self._claims.get(name, namespace_of(owner))

        def delay(ordinal: int) -> float:
            return self._failed.delay(key_of(owner), f"{name_of(owner)}-{ordinal}", self._clock.steady())

        return Situation(owner, current, update, pods, claim, self._clock.now(), delay)

    async def _report(self, owner: Obj, pods: Sequence[Obj], revisions: Revisions) -> None:
        status = stateful_set_status(owner, pods, revisions, self._clock.now())
        await write_status(self._client, STATEFUL_SETS, owner, status)

    async def _forget_old(self, owner: Obj, pods: Sequence[Obj], known: Revisions, all_: Sequence[Obj]) -> None:
        """Keep `spec.revisionHistoryLimit` revisions beside those in use."""
        in_use = {known.current, known.update, *(revision_of(pod) for pod in pods)}
        idle = sum(name_of(one) not in in_use for one in all_)
        excess = idle - int(owner["spec"].get("revisionHistoryLimit", 10))
        await self._keeper.delete(owner, surplus(all_, in_use, excess))

    def _pod_gone(self, delta: Delta) -> None:
        """A set that needs the name has waited for that, whoever's the pod was."""
        if delta.new is None and delta.old is not None:
            name, _ = owner_and_ordinal(name_of(delta.old))
            self._look_at(name, namespace_of(delta.old))

    def _claim_gone(self, delta: Delta) -> None:
        """Its pod may wait for that, or need it again. `data-my-set-0` may be of the set `my-set` or of `set`."""
        if delta.new is None and delta.old is not None:
            name, _ = owner_and_ordinal(name_of(delta.old))
            while name:
                name = name.partition("-")[2]
                self._look_at(name, namespace_of(delta.old))

    def _look_at(self, name: str, namespace: str) -> None:
        owner = self._owners.get(name, namespace)
        if owner is not None:
            self.queue.add(key_of(owner))
