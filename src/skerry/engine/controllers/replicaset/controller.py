"""ReplicaSets: as many pods as `spec.replicas` says.

Decisions are in `ranking` (which pods go), `status` and `ownership` (which pods count); this file acts. A cache that
does not yet show what was written (`Written`) is waited for, so no pod is ever made twice. Pods are created in growing
batches: one that fails (a quota) stops the rest. Source: Kubernetes `pkg/controller/replicaset`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.ownership import Claimer, controlled_by, index_controllers, matcher
from skerry.engine.controllers.pods import is_active, node_of, replica_relevant
from skerry.engine.controllers.replicaset.ranking import choose_victims
from skerry.engine.controllers.replicaset.status import Failure, replica_set_status, seconds_until_next_available
from skerry.engine.controllers.writing import Written, namespace_is_ending, write_status
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.informer import Delta
from skerry.kube.objects import (
    Obj,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    split_key,
    uid_of,
)
from skerry.kube.resources import PODS, REPLICA_SETS

_MOST_AT_ONCE = 500  # pods created or deleted in one go
_BATCH_GROWTH = 4
_LAGGING = 0.5  # seconds; the pods' own events nearly always come first


class ReplicaSetController(Controller):
    """Brings the number of pods to what is wanted and says how many there are."""

    name = "replicaset"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._recorder = context.recorder.named("replicaset-controller")
        self._sets = context.informers.of(REPLICA_SETS)
        self._pods = context.informers.of(PODS)
        index_controllers(self._pods)
        index_controllers(self._sets)
        self._written = Written(self._pods)
        self._claimer = Claimer(context.client, REPLICA_SETS, self._pods)
        self.watch(self._sets)
        self._pods.add_handler(self._pod_changed)

    async def reconcile(self, key: str) -> float | None:
        """Create or delete pods, then write the status."""
        namespace, name = split_key(key)
        replica_set = self._sets.get(name, namespace)
        if replica_set is None:
            self._written.forget(key)
            return None
        if not self._written.seen(key):
            return _LAGGING
        pods = await self._claimer.claimed(replica_set)
        error = None if is_deleting(replica_set) else await self._scale(key, replica_set, pods)
        if error is None and not self._written.seen(key):
            return _LAGGING  # the pods' events are on their way: the status is written once they are here
        return await self._report(replica_set, pods, error)

    async def _report(self, replica_set: Obj, pods: Sequence[Obj], error: StatusError | None) -> float | None:
        now = self._clock.now()
        failure = _failure(replica_set, pods, error) if error is not None else None
        await write_status(self._client, REPLICA_SETS, replica_set, replica_set_status(replica_set, pods, failure, now))
        if error is not None and not namespace_is_ending(error):
            raise error
        return seconds_until_next_available(replica_set, pods, now)

    async def _scale(self, key: str, replica_set: Obj, pods: Sequence[Obj]) -> StatusError | None:
        active = [pod for pod in pods if is_active(pod)]
        missing = int(replica_set["spec"].get("replicas", 1)) - len(active)
        if missing > 0:
            return await self._create(key, replica_set, min(missing, _MOST_AT_ONCE))
        if missing < 0:
            victims = choose_victims(active, -missing, self._siblings_per_node(replica_set), self._clock.now())
            return await self._delete(key, replica_set, victims[:_MOST_AT_ONCE])
        return None

    async def _create(self, key: str, replica_set: Obj, count: int) -> StatusError | None:
        pod, batch = pod_from_template(replica_set), 1
        while count > 0:
            batch = min(batch, count)
            errors = await asyncio.gather(*(self._create_one(key, replica_set, pod) for _ in range(batch)))
            failed = [error for error in errors if error is not None]
            if failed:
                return failed[0]
            count -= batch
            batch *= _BATCH_GROWTH
        return None

    async def _create_one(self, key: str, replica_set: Obj, pod: Obj) -> StatusError | None:
        try:
            created = await self._client.create(PODS, pod, namespace_of(replica_set))
        except StatusError as error:
            if not namespace_is_ending(error):
                self._recorder.event(replica_set, "Warning", "FailedCreate", f"Error creating: {error}")
            return error
        self._written.note(key, created)
        self._recorder.event(replica_set, "Normal", "SuccessfulCreate", f"Created pod: {name_of(created)}")
        return None

    async def _delete(self, key: str, replica_set: Obj, victims: Iterable[Obj]) -> StatusError | None:
        errors = await asyncio.gather(*(self._delete_one(key, replica_set, pod) for pod in victims))
        return next((error for error in errors if error is not None), None)

    async def _delete_one(self, key: str, replica_set: Obj, pod: Obj) -> StatusError | None:
        options = {"preconditions": {"uid": uid_of(pod)}}
        try:
            deleted = await self._client.delete(PODS, name_of(pod), namespace_of(pod), options)
        except NotFound:
            return None
        except StatusError as error:
            self._recorder.event(replica_set, "Warning", "FailedDelete", f"Error deleting: {error}")
            return error
        self._written.note(key, deleted)
        self._recorder.event(replica_set, "Normal", "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        return None

    def _siblings_per_node(self, replica_set: Obj) -> Counter[str]:
        """Active pods of all ReplicaSets with the same owner, by node."""
        owner = controller_of(replica_set)
        family = controlled_by(self._sets, owner["uid"]) if owner else [replica_set]
        pods = (pod for member in family for pod in controlled_by(self._pods, uid_of(member)))
        return Counter(node_of(pod) for pod in pods if is_active(pod))

    def _pod_changed(self, delta: Delta) -> None:
        old, new = delta.old, delta.new
        if old is not None and new is not None and replica_relevant(old) == replica_relevant(new):
            return
        for state in (old, new):
            for key in self._keys_of_pod(state) if state is not None else ():
                self.queue.add(key)

    def _keys_of_pod(self, pod: Obj) -> Iterable[str]:
        reference = controller_of(pod)
        if reference is None:
            return self._takers_of(pod)
        if reference["kind"] == REPLICA_SETS.kind and reference["apiVersion"] == REPLICA_SETS.api_version:
            return (f"{namespace_of(pod)}/{reference['name']}",)
        return ()

    def _takers_of(self, orphan: Obj) -> Iterable[str]:
        labels = labels_of(orphan)
        for replica_set in self._sets.list(namespace_of(orphan)) if labels else ():
            if matcher(replica_set["spec"].get("selector") or {})(labels):
                yield key_of(replica_set)


def pod_from_template(replica_set: Obj) -> Obj:
    """The pod to create: the template's metadata and spec, owned by the ReplicaSet."""
    template = replica_set["spec"]["template"]
    given = template.get("metadata") or {}
    metadata: Obj = {key: given[key] for key in ("labels", "annotations", "finalizers") if given.get(key)}
    metadata["generateName"] = f"{name_of(replica_set)}-"
    metadata["namespace"] = namespace_of(replica_set)
    metadata["ownerReferences"] = [owner_reference(replica_set, REPLICA_SETS)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def _failure(replica_set: Obj, pods: Sequence[Obj], error: StatusError) -> Failure:
    few = sum(is_active(pod) for pod in pods) < int(replica_set["spec"].get("replicas", 1))
    return Failure("FailedCreate" if few else "FailedDelete", error.message)
