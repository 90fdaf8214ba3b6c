"""What the claims of one pod ask of a node: pure, but for the looks into caches that it is given.

Source: Kubernetes' plug-in `volumebinding`. A claim that is bound allows the nodes its volume can be reached from; one
that waits for its first consumer those where a volume is or can be made. Any other keeps the pod waiting.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.controllers.scheduler.filters import Objection
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.volumes.binding import plan_at
from skerry.engine.controllers.scheduler.volumes.limits import exclusive_claims, limit_objection, sharing_objection
from skerry.engine.controllers.scheduler.volumes.reach import OUT_OF_REACH, reaches, zone_objection
from skerry.engine.controllers.scheduler.volumes.storage import Storage
from skerry.engine.controllers.volumes.users import claimed, foreign, is_ephemeral
from skerry.kube.objects import Obj, annotations_of, is_deleting, namespace_of
from skerry.kube.records import record
from skerry.kube.volumes import BIND_COMPLETED, class_of, waits_for_consumer

NO_VOLUME = Objection(("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",), False)
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"


@record
class VolumeNeeds:
    """`refusal`: why the pod can go nowhere, or ""."""

    pod: Obj
    storage: Storage
    refusal: str = ""
    bound: Sequence[Obj | None] = ()
    """Volumes of the claims that are bound, None for one that is not there."""
    unbound: Sequence[Obj] = ()
    """Claims that wait for a node to be chosen."""
    exclusive: Sequence[str] = ()
    """Keys of claims that only one pod may use."""

    def objection(self, state: NodeState) -> Objection | None:
        """Why the volumes keep the pod from a node, in Kubernetes' order of plug-ins."""
        found = sharing_objection(self.pod, self.exclusive, state, self.storage)
        found = found or limit_objection(self.pod, state, self.storage) or self.unreachable(state)
        if found is None and self.unbound:
            plan = plan_at(self.unbound, state, self.storage)
            found = plan if isinstance(plan, Objection) else None
        return found or self._zone_objection(state)

    def unreachable(self, state: NodeState) -> Objection | None:
        """Why volumes that are there already keep it from a node."""
        if any(volume is None for volume in self.bound):
            return NO_VOLUME
        return None if all(reaches(volume, state) for volume in self.bound if volume is not None) else OUT_OF_REACH

    def _zone_objection(self, state: NodeState) -> Objection | None:
        found = (zone_objection(volume, state) for volume in self.bound if volume is not None)
        return next((one for one in found if one is not None), None)


def needs_of(pod: Obj, storage: Storage) -> VolumeNeeds | None:
    """None for a pod without claims."""
    claims: list[Obj] = []
    for volume, name in claimed(pod):
        claim = storage.claim(name, namespace_of(pod))
        if refusal := _refusal(pod, volume, name, claim):
            return VolumeNeeds(pod, storage, refusal)
        assert claim is not None
        claims.append(claim)
    if not claims:
        return None
    waiting = [claim for claim in claims if not is_bound(claim)]
    if not all(_waits_for_consumer(claim, storage) for claim in waiting):
        return VolumeNeeds(pod, storage, UNBOUND)
    bound = [storage.volume(claim["spec"]["volumeName"]) for claim in claims if is_bound(claim)]
    return VolumeNeeds(pod, storage, "", bound, waiting, exclusive_claims(claims))


def is_bound(claim: Obj) -> bool:
    """Whether the binder has finished with it."""
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in annotations_of(claim)


def _refusal(pod: Obj, volume: Obj, name: str, claim: Obj | None) -> str:
    """Why a claim keeps its pod from every node."""
    if claim is None:
        if is_ephemeral(volume):
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        return f'persistentvolumeclaim "{name}" not found'
    if (claim.get("status") or {}).get("phase") == "Lost":
        lost = claim["spec"].get("volumeName") or ""
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{lost}"'
    if is_deleting(claim):
        return f'persistentvolumeclaim "{name}" is being deleted'
    return foreign(pod, claim) if is_ephemeral(volume) else ""


def _waits_for_consumer(claim: Obj, storage: Storage) -> bool:
    """A claim that names its volume is bound at once, whatever its class."""
    return not claim["spec"].get("volumeName") and waits_for_consumer(storage.storage_class(class_of(claim)))
