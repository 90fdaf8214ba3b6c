"""Deployments: carries out `plan` and writes `status`. Source of the behaviour: Kubernetes `pkg/controller/deployment`.

The status is computed from the ReplicaSets as the API returned them after this round's changes, so that a new template
is never reported as rolled out with the old one's numbers. A cache that lags behind our writes is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.deployment.annotations import REVISION
from skerry.engine.controllers.deployment.plan import Plan, plan
from skerry.engine.controllers.deployment.sizes import replicas_of
from skerry.engine.controllers.deployment.status import Observed, deployment_status, seconds_to_deadline
from skerry.engine.controllers.deployment.template import plain_template
from skerry.engine.controllers.owner_controller import OwnerController
from skerry.engine.controllers.ownership import Claimer, index_controllers, matcher
from skerry.engine.controllers.writing import Written, namespace_is_ending, write_status
from skerry.kube.errors import AlreadyExists, NotFound, StatusError
from skerry.kube.objects import (
    Obj,
    annotations_of,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from skerry.kube.resources import DEPLOYMENTS, REPLICA_SETS


class DeploymentController(OwnerController):
    """Rolls templates out."""

    name = "deployment"

    def __init__(self, context: Context) -> None:
        super().__init__(context, DEPLOYMENTS)
        self._recorder = context.recorder.named("deployment-controller")
        self._sets = context.informers.of(REPLICA_SETS)
        index_controllers(self._sets)
        self._written = self.waits_for(Written(self._sets))
        self._claimer = Claimer(context.client, DEPLOYMENTS, self._sets)
        self.watch(self._owners)
        self.watch_owned(self._sets, DEPLOYMENTS)
        self.watch(self._sets, self._takers_of)

    async def sync(self, key: str, owner: Obj) -> float | None:
        """One step of the rollout, then the status."""
        if not any(owner["spec"]["selector"].values()):
            what = "This deployment is selecting all pods. A non-empty selector is required."
            self._recorder.event(owner, "Warning", "SelectingAll", what)
            return None
        sets = await self._claimer.claimed(owner)
        return await self._act(key, owner, plan(owner, sets))

    async def _act(self, key: str, deployment: Obj, decided: Plan) -> float | None:
        current, error = decided.current, None
        if decided.create is not None:
            current, error = await self._create(key, deployment, decided.create)
        changed = await asyncio.gather(
            *(self._patch(key, deployment, one, decided.patches.get(name_of(one))) for one in decided.others)
        )
        if decided.current is not None:
            current = await self._patch(key, deployment, decided.current, decided.patches.get(name_of(decided.current)))
        await asyncio.gather(*(self._delete(key, one) for one in decided.delete))
        if decided.revision and error is None:
            deployment = await self._note_revision(deployment, decided.revision)
        message = error.message if error is not None else ""
        observed = Observed(current, changed, decided.rolling_out, decided.create is not None, message)
        wait = await self._report(deployment, observed)
        if error is not None and not namespace_is_ending(error):
            raise error
        return wait

    async def _report(self, deployment: Obj, observed: Observed) -> float | None:
        now = self._clock.now()
        status = deployment_status(deployment, observed, now)
        await write_status(self._client, DEPLOYMENTS, deployment, status)
        left = seconds_to_deadline(deployment, status["conditions"], now)
        return None if left is None else max(left, 0.0) + 1.0

    async def _create(self, key: str, deployment: Obj, wanted: Obj) -> tuple[Obj | None, StatusError | None]:
        try:
            created = await self._client.create(REPLICA_SETS, wanted, namespace_of(deployment))
        except AlreadyExists as error:
            return await self._resolve_collision(deployment, wanted, error)
        except StatusError as error:
            if not namespace_is_ending(error):
                what = f'Failed to create new replica set "{name_of(wanted)}": {error}'
                self._recorder.event(deployment, "Warning", "ReplicaSetCreateError", what)
            return None, error
        self._written.note(key, created)
        self._say_scaled(deployment, created, 0)
        return created, None

    async def _resolve_collision(
        self, deployment: Obj, wanted: Obj, error: StatusError
    ) -> tuple[Obj | None, StatusError | None]:
        """The name is taken: by our own ReplicaSet the cache does not show yet, or else count one collision more."""
        found = await self._client.get(REPLICA_SETS, name_of(wanted), namespace_of(wanted))
        owner = controller_of(found)
        if owner and owner["uid"] == uid_of(deployment) and plain_template(found) == plain_template(wanted):
            return found, None
        status = deployment.get("status") or {}
        collisions = int(status.get("collisionCount") or 0) + 1
        await write_status(self._client, DEPLOYMENTS, deployment, {**status, "collisionCount": collisions})
        raise error

    async def _patch(self, key: str, deployment: Obj, replica_set: Obj, patch: Obj | None) -> Obj:
        if not patch:
            return replica_set
        metadata = {**patch.get("metadata", {}), "resourceVersion": replica_set["metadata"]["resourceVersion"]}
        guarded = {**patch, "metadata": metadata}
        changed = await self._client.patch(
            REPLICA_SETS, name_of(replica_set), guarded, namespace_of(replica_set), kind="merge"
        )
        self._written.note(key, changed)
        self._say_scaled(deployment, changed, replicas_of(replica_set))
        return changed

    def _say_scaled(self, deployment: Obj, replica_set: Obj, before: int) -> None:
        after = replicas_of(replica_set)
        if after == before:
            return
        direction = "up" if after > before else "down"
        what = f"Scaled {direction} replica set {name_of(replica_set)} from {before} to {after}"
        self._recorder.event(deployment, "Normal", "ScalingReplicaSet", what)

    async def _delete(self, key: str, replica_set: Obj) -> None:
        try:
            options = {"preconditions": {"uid": uid_of(replica_set)}, "propagationPolicy": "Background"}
            deleted = await self._client.delete(REPLICA_SETS, name_of(replica_set), namespace_of(replica_set), options)
        except NotFound:
            return
        self._written.note(key, deleted)

    async def _note_revision(self, deployment: Obj, revision: str) -> Obj:
        """With the status, as Kubernetes writes it: so written, an annotation is no new generation."""
        noted = {**annotations_of(deployment), REVISION: revision}
        metadata = {**deployment["metadata"], "annotations": noted}
        return await self._client.update(DEPLOYMENTS, {**deployment, "metadata": metadata}, "status")

    def _takers_of(self, replica_set: Obj) -> Sequence[str]:
        """Deployments that would adopt an orphan."""
        labels = labels_of(replica_set)
        if controller_of(replica_set) or is_deleting(replica_set) or not labels:
            return ()
        candidates = self._owners.list(namespace_of(replica_set))
        return [key_of(one) for one in candidates if matcher(one["spec"]["selector"])(labels)]
