"""DaemonSets: finds out what `plan` and `rolling` need, does what they say, writes `status`, forgets old revisions.

Source of the behaviour: Kubernetes `pkg/controller/daemon`. A cache that lags behind our writes is waited for, so that
no node gets two pods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.daemonset.nodes import suits_view
from skerry.engine.controllers.daemonset.plan import Plan, Situation, ended_message, manage, situation_of
from skerry.engine.controllers.daemonset.pods import HASH, build_pod, target_node
from skerry.engine.controllers.daemonset.rolling import roll
from skerry.engine.controllers.daemonset.status import daemon_set_status, seconds_until_next_available
from skerry.engine.controllers.failed_pods import FailedPods
from skerry.engine.controllers.history.keeper import History, RevisionKeeper
from skerry.engine.controllers.history.revisions import surplus
from skerry.engine.controllers.owner_controller import LAGGING, OwnerController
from skerry.engine.controllers.ownership import Claimer, by_selector, index_controllers
from skerry.engine.controllers.pod_control import MOST_AT_ONCE, PodControl
from skerry.engine.controllers.pod_watch import PodWatch
from skerry.engine.controllers.writing import Written, namespace_is_ending, write_status
from skerry.kube.errors import StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, is_deleting, key_of, labels_of, name_of
from skerry.kube.resources import DAEMON_SETS, NODES, PODS

_LONGEST_BACK_OFF = 900.0  # seconds


class DaemonSetController(OwnerController):
    """Keeps one pod on every node that wants it."""

    name = "daemonset"

    def __init__(self, context: Context) -> None:
        super().__init__(context, DAEMON_SETS)
        self._recorder = context.recorder.named("daemonset-controller")
        self._pods = context.informers.of(PODS)
        self._nodes = context.informers.of(NODES)
        index_controllers(self._pods)
        self._written = self.waits_for(Written(self._pods))
        self._failed = FailedPods(_LONGEST_BACK_OFF)
        self._control = PodControl(context.client, self._recorder, self._written)
        self._claimer = Claimer(context.client, DAEMON_SETS, self._pods)
        self._keeper = self.waits_for(RevisionKeeper(context, DAEMON_SETS, HASH))
        self.watch(self._owners)
        self._pods.add_handler(PodWatch(self._owners, by_selector, self.queue.add).handle)
        self._nodes.add_handler(self._node_changed)

    def forget(self, key: str) -> None:
        """Its failed pods, too."""
        super().forget(key)
        self._failed.forget(key)

    async def sync(self, key: str, owner: Obj) -> float | None:
        """One step, then the status."""
        if not any(owner["spec"]["selector"].values()):
            what = "This daemon set is selecting all pods. A non-empty selector is required."
            self._recorder.event(owner, "Warning", "SelectingAll", what)
            return None
        return None if is_deleting(owner) else await self._step(key, owner)

    async def _step(self, key: str, daemon_set: Obj) -> float | None:
        pods = await self._claimer.claimed(daemon_set)
        history = await self._keeper.history(daemon_set)
        hashed = labels_of(history.update).get(HASH, "")
        situation = situation_of(daemon_set, hashed, self._nodes.list(), pods, self._clock.now())
        decided = manage(situation, lambda node: self._failed.delay(key, node, self._clock.steady()))
        if decided.is_empty and _is_rolling(daemon_set):
            decided = replace(roll(situation), wait=decided.wait)
        error = await self._act(key, situation, decided)
        if error is None and not self._written.seen(key):
            return LAGGING  # the pods' events are on their way: the status is written once they are here
        status = daemon_set_status(situation, history.collisions)
        await write_status(self._client, DAEMON_SETS, daemon_set, status)
        await self._forget_old(daemon_set, pods, history)
        if error is not None and not namespace_is_ending(error):
            raise error
        later = [*decided.wait, seconds_until_next_available(situation)]
        return min((seconds for seconds in later if seconds is not None), default=None)

    async def _act(self, key: str, situation: Situation, decided: Plan) -> StatusError | None:
        daemon_set = situation.daemon_set
        for pod in decided.failed:
            self._failed.deleted(key, target_node(pod), self._clock.steady())
            what = ended_message(pod, target_node(pod), "kill")
            self._recorder.event(daemon_set, "Warning", "FailedDaemonPod", what)
        for pod in decided.succeeded:
            what = ended_message(pod, target_node(pod), "delete")
            self._recorder.event(daemon_set, "Normal", "SucceededDaemonPod", what)
        created = [build_pod(daemon_set, situation.hash, node) for node in decided.create[:MOST_AT_ONCE]]
        error = await self._control.create_all(key, daemon_set, created)
        return await self._control.delete_all(key, daemon_set, decided.delete[:MOST_AT_ONCE]) or error

    async def _forget_old(self, daemon_set: Obj, pods: Sequence[Obj], history: History) -> None:
        """Keep `spec.revisionHistoryLimit` revisions beside today's; those that pods were made from are not touched."""
        old = [one for one in history.revisions if one is not history.update]
        hashes = {labels_of(pod).get(HASH) for pod in pods}
        in_use = {name_of(one) for one in old if labels_of(one).get(HASH) in hashes}
        excess = len(old) - int(daemon_set["spec"].get("revisionHistoryLimit", 10))
        await self._keeper.delete(daemon_set, surplus(old, in_use, excess))

    def _node_changed(self, delta: Delta) -> None:
        if delta.old is not None and delta.new is not None and suits_view(delta.old) == suits_view(delta.new):
            return
        for daemon_set in self._owners.list():
            self.queue.add(key_of(daemon_set))


def _is_rolling(daemon_set: Obj) -> bool:
    return (daemon_set["spec"].get("updateStrategy") or {}).get("type") == "RollingUpdate"
