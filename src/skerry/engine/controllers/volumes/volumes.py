"""What is to be done about one volume: pure. Source: `syncVolume` of Kubernetes' PersistentVolume controller."""

from __future__ import annotations

from typing import Literal

from skerry.engine.controllers.volumes.claims import Remark
from skerry.engine.controllers.volumes.matching import differs_in_mode
from skerry.kube.objects import Obj, annotations_of, name_of, uid_of
from skerry.kube.records import record
from skerry.kube.volumes import BOUND_BY_CONTROLLER, IN_TREE, PROVISIONED_BY


@record
class Phase:
    """What its status says."""

    phase: Literal["Available", "Bound"]


@record
class LookAtClaim:
    """Its claim does not know of it yet; the binding is finished from there."""


@record
class Mismatched:
    """It is kept for a claim that cannot have it. One event about each."""

    about_volume: Remark
    about_claim: Remark


@record
class Release:
    """Its claim is gone (or has another volume): it is released, and its reclaim policy says what follows."""


@record
class Unbind:
    """Its claim is bound to another: it is free again, or kept for the claim by name if somebody wanted that."""


Answer = Phase | LookAtClaim | Mismatched | Release | Unbind


def decide_volume(volume: Obj, claim: Obj | None) -> Answer:
    """`claim`: what is there now under the name that `claimRef` gives."""
    reference = volume["spec"].get("claimRef")
    if not reference or not reference.get("uid"):
        return Phase("Available")
    if claim is None or uid_of(claim) != reference["uid"]:
        return Release()
    wanted = claim["spec"].get("volumeName")
    if wanted == name_of(volume):
        return Phase("Bound")
    if not wanted:
        return _mismatched(volume, claim) if differs_in_mode(volume, claim) else LookAtClaim()
    provisioned = PROVISIONED_BY in annotations_of(volume)
    return Release() if provisioned and policy_of(volume) == "Delete" else Unbind()


def policy_of(volume: Obj) -> str:
    """Its reclaim policy."""
    return str(volume["spec"].get("persistentVolumeReclaimPolicy") or "Retain")


def is_deleted_elsewhere(volume: Obj) -> bool:
    """Whether the program that made it deletes it."""
    made_by = annotations_of(volume).get(PROVISIONED_BY, "")
    return bool(made_by) and not made_by.startswith(IN_TREE)


def unbound(volume: Obj) -> Obj:
    """The volume without the claim that was written on it here, or without that claim's uid if it was meant for it."""
    metadata, spec = volume["metadata"], volume["spec"]
    annotations = dict(annotations_of(volume))
    if annotations.pop(BOUND_BY_CONTROLLER, None) is None:
        reference = {key: value for key, value in spec["claimRef"].items() if key not in ("uid", "resourceVersion")}
        return {**volume, "spec": {**spec, "claimRef": reference}}
    kept = {key: value for key, value in spec.items() if key != "claimRef"}
    return {**volume, "metadata": {**metadata, "annotations": annotations}, "spec": kept}


def _mismatched(volume: Obj, claim: Obj) -> Mismatched:
    why = "due to incompatible volumeMode."
    first = f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{name_of(claim)}" {why}'
    second = f'Cannot bind PersistentVolume "{name_of(volume)}" to requested PersistentVolumeClaim {why}'
    return Mismatched(Remark("Warning", "VolumeMismatch", first), Remark("Warning", "VolumeMismatch", second))
