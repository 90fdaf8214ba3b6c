"""How the binder writes: each step once, against the revision it was decided on, remembered before the watch brings it.

A binding is four steps, the volume first, so that whoever finds a claim bound finds its volume bound as well; each is
left out when it is done already, which is how one that was interrupted is finished. Source: `bind`,
`bindVolumeToClaim`, `bindClaimToVolume`, `updateClaimStatus` of Kubernetes' PersistentVolume controller.
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.newest import Newest
from skerry.kube.objects import Obj, annotations_of, name_of, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from skerry.kube.volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    annotated,
    is_meant_for,
    reference_to,
)


class Writing:
    """Raises Conflict when an object has changed since it was read, NotFound when it is gone."""

    def __init__(self, context: Context, claims: Newest, volumes: Newest) -> None:
        self._client = context.client
        self._claims = claims
        self._volumes = volumes

    async def bind(self, volume: Obj, claim: Obj) -> None:
        """Bind them to each other; nothing is written that is there."""
        wanted = bound_volume(volume, claim)
        if wanted is not volume:
            volume = await self.update_volume(wanted)
        volume = await self.mark_volume(volume, "Bound")
        bound = bound_claim(claim, volume)
        if bound is not claim:
            claim = await self.update_claim(bound)
        await self._write_claim_status(claim, status_when_bound(claim, volume))

    async def mark_volume(self, volume: Obj, phase: str, message: str = "") -> Obj:
        """Set the phase of a volume; the API notes the time."""
        status = volume.get("status") or {}
        if status.get("phase") == phase:
            return volume
        kept = {key: value for key, value in status.items() if key not in ("message", "reason")}
        changed = {**kept, "phase": phase, **({"message": message} if message else {})}
        written = await self._client.update(PERSISTENT_VOLUMES, {**volume, "status": changed}, "status")
        return self._volumes.note(written)

    async def mark_claim(self, claim: Obj, phase: str) -> Obj:
        """Say that a claim is not bound: it has neither capacity nor modes."""
        status = claim.get("status") or {}
        kept = {key: value for key, value in status.items() if key not in ("accessModes", "capacity")}
        return await self._write_claim_status(claim, {**kept, "phase": phase})

    async def update_volume(self, volume: Obj) -> Obj:
        """Write all but the status; returns what is stored."""
        return self._volumes.note(await self._client.update(PERSISTENT_VOLUMES, volume))

    async def update_claim(self, claim: Obj) -> Obj:
        """Write all but the status; returns what is stored."""
        return self._claims.note(await self._client.update(PERSISTENT_VOLUME_CLAIMS, claim))

    async def _write_claim_status(self, claim: Obj, status: Obj) -> Obj:
        if status == claim.get("status"):
            return claim
        written = await self._client.update(PERSISTENT_VOLUME_CLAIMS, {**claim, "status": status}, "status")
        return self._claims.note(written)


def bound_volume(volume: Obj, claim: Obj) -> Obj:
    """The volume with the claim on it; itself when it says so already."""
    reference = volume["spec"].get("claimRef") or {}
    result = volume
    if not is_meant_for(volume, claim) and BOUND_BY_CONTROLLER not in annotations_of(volume):
        result = annotated(result, {BOUND_BY_CONTROLLER: "yes"})
    if not is_meant_for(volume, claim) or reference.get("uid") != uid_of(claim):
        result = {**result, "spec": {**volume["spec"], "claimRef": reference_to(claim)}}
    return result


def bound_claim(claim: Obj, volume: Obj) -> Obj:
    """The claim with the volume on it; itself when it says so already."""
    named = claim["spec"].get("volumeName") == name_of(volume)
    marks = {BIND_COMPLETED: "yes"} if named else {BIND_COMPLETED: "yes", BOUND_BY_CONTROLLER: "yes"}
    if named and BIND_COMPLETED in annotations_of(claim):
        return claim
    return {**annotated(claim, marks), "spec": {**claim["spec"], "volumeName": name_of(volume)}}


def status_when_bound(claim: Obj, volume: Obj) -> Obj:
    """The capacity is the volume's at the time of binding; later whoever expands it writes it."""
    status, spec = claim.get("status") or {}, volume["spec"]
    changed = {**status, "phase": "Bound", "accessModes": spec.get("accessModes") or []}
    if status.get("phase") != "Bound" or "capacity" not in status:
        changed["capacity"] = spec.get("capacity") or {}
        if spec.get("volumeAttributesClassName"):
            changed["currentVolumeAttributesClassName"] = spec["volumeAttributesClassName"]
    return changed
