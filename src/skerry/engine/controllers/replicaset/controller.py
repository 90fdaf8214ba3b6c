"""ReplicaSets: as many pods as `spec.replicas` says. ReplicationControllers, too: `flavour` says what differs.

Decisions are in `ranking` (which pods go), `status` and `ownership` (which pods count); this file acts, `pod_control`
with it. A cache that does not yet show what was written (`Written`) is waited for, so no pod is ever made twice.
Source: Kubernetes `pkg/controller/replicaset`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.owner_controller import LAGGING, OwnerController
from skerry.engine.controllers.ownership import Claimer, controlled_by, index_controllers
from skerry.engine.controllers.pod_control import MOST_AT_ONCE, PodControl
from skerry.engine.controllers.pod_template import pod_from_template
from skerry.engine.controllers.pod_watch import PodWatch
from skerry.engine.controllers.pods import is_active, node_of
from skerry.engine.controllers.replicaset.flavour import REPLICA_SET, Flavour
from skerry.engine.controllers.replicaset.ranking import choose_victims
from skerry.engine.controllers.replicaset.status import Failure, replica_set_status, seconds_until_next_available
from skerry.engine.controllers.writing import Written, namespace_is_ending, write_status
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, controller_of, is_deleting, uid_of
from skerry.kube.resources import PODS


class ReplicaSetController(OwnerController):
    """Brings the number of pods to what is wanted and says how many there are."""

    name = REPLICA_SET.name

    def __init__(self, context: Context, flavour: Flavour = REPLICA_SET) -> None:
        super().__init__(context, flavour.resource)
        self._flavour = flavour
        self._pods = context.informers.of(PODS)
        index_controllers(self._pods)
        index_controllers(self._owners)
        self._written = self.waits_for(Written(self._pods))
        recorder = context.recorder.named(flavour.event_source)
        self._control = PodControl(context.client, recorder, self._written)
        self._claimer = Claimer(context.client, flavour.resource, self._pods, flavour.selects)
        self.watch(self._owners)
        self._pods.add_handler(PodWatch(self._owners, flavour.selects, self.queue.add).handle)

    async def sync(self, key: str, owner: Obj) -> float | None:
        """Create or delete pods, then write the status."""
        pods = await self._claimer.claimed(owner)
        error = None if is_deleting(owner) else await self._scale(key, owner, pods)
        if error is None and not self._written.seen(key):
            return LAGGING  # the pods' events are on their way: the status is written once they are here
        return await self._report(owner, pods, error)

    async def _report(self, replica_set: Obj, pods: Sequence[Obj], error: StatusError | None) -> float | None:
        now = self._clock.now()
        failure = _failure(replica_set, pods, error) if error is not None else None
        counted = replica_set_status(replica_set, pods, failure, now)
        status = {name: value for name, value in counted.items() if name not in self._flavour.unshown}
        await write_status(self._client, self._flavour.resource, replica_set, status)
        if error is not None and not namespace_is_ending(error):
            raise error
        return seconds_until_next_available(replica_set, pods, now)

    async def _scale(self, key: str, replica_set: Obj, pods: Sequence[Obj]) -> StatusError | None:
        active = [pod for pod in pods if is_active(pod)]
        missing = int(replica_set["spec"].get("replicas", 1)) - len(active)
        if missing > 0:
            pod = pod_from_template(replica_set, self._flavour.resource)
            return await self._control.create_all(key, replica_set, [pod] * min(missing, MOST_AT_ONCE))
        if missing < 0:
            victims = choose_victims(active, -missing, self._siblings_per_node(replica_set), self._clock.now())
            return await self._control.delete_all(key, replica_set, victims[:MOST_AT_ONCE])
        return None

    def _siblings_per_node(self, replica_set: Obj) -> Counter[str]:
        """Active pods of all ReplicaSets with the same owner, by node."""
        owner = controller_of(replica_set)
        family = controlled_by(self._owners, owner["uid"]) if owner else [replica_set]
        pods = (pod for member in family for pod in controlled_by(self._pods, uid_of(member)))
        return Counter(node_of(pod) for pod in pods if is_active(pod))


def _failure(replica_set: Obj, pods: Sequence[Obj], error: StatusError) -> Failure:
    few = sum(is_active(pod) for pod in pods) < int(replica_set["spec"].get("replicas", 1))
    return Failure("FailedCreate" if few else "FailedDelete", error.message)
