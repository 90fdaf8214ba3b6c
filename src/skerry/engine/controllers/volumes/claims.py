"""What is to be done about one claim: pure. Source: `syncClaim` of Kubernetes' PersistentVolume controller.

`binder` gives what it knows (`View`) and carries out the answer. An answer that is already true changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from skerry.engine.controllers.volumes.matching import best_volume, mismatch
from skerry.kube.events import EventType
from skerry.kube.objects import Obj, annotations_of, name_of, uid_of
from skerry.kube.records import record
from skerry.kube.volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    IN_TREE,
    SELECTED_NODE,
    class_of,
    has_class,
    is_default,
    is_meant_for,
    waits_for_consumer,
)


class Remark(NamedTuple):
    """An event."""

    type: EventType
    reason: str
    message: str


@record
class View:
    """What is known beside the claim."""

    volume: Callable[[str], Obj | None]
    """By name."""
    candidates: Callable[[Obj], Iterable[Obj]]
    """Volumes that are the claim's, kept for it, or nobody's and of its class."""
    storage_class: Callable[[str], Obj | None]
    """By name."""
    classes: Callable[[], Sequence[Obj]]
    pods: Callable[[Obj], Sequence[str]]
    """Names of the pods that use the claim and have no node yet."""


@record
class Bind:
    """Bind claim and volume to each other, or finish that."""

    volume: Obj


@record
class Stay:
    """The claim is not bound."""

    phase: Literal["Pending", "Lost"]
    remark: Remark | None = None


@record
class Provision:
    """Somebody makes a volume for it: say who."""

    provisioner: str


@record
class SetClass:
    """It was made when there was no default class; now there is."""

    name: str


Answer = Bind | Stay | Provision | SetClass
NO_CLASS = Remark(
    "Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set"
)
FIRST_CONSUMER = Remark(
    "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
)  # fmt: skip
_LOST = "Data on the volume is lost!"


def decide_claim(claim: Obj, view: View) -> Answer:
    """Bind it, wait, have a volume made, or say that its volume is lost."""
    if BIND_COMPLETED in annotations_of(claim):
        return _bound(claim, view)
    if claim["spec"].get("volumeName"):
        return _asks_for_one(claim, view)
    return _asks_for_any(claim, view)


def external_provisioning(provisioner: str) -> Remark:
    """The event that tells what a claim waits for."""
    return Remark(
        "Normal",
        "ExternalProvisioning",
        f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
        "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
        "correctly registered.",
    )


def default_class(classes: Iterable[Obj]) -> str:
    """The name of the class that claims without one get: the newest of those marked, then the first by name; ""."""
    marked = sorted((one for one in classes if is_default(one)), key=name_of)
    return name_of(max(marked, key=lambda one: one["metadata"].get("creationTimestamp") or "")) if marked else ""


def _bound(claim: Obj, view: View) -> Answer:
    name = claim["spec"].get("volumeName")
    if not name:
        return _lost("ClaimLost", f"Bound claim has lost reference to PersistentVolume. {_LOST}")
    volume = view.volume(name)
    if volume is None:
        return _lost("ClaimLost", f"Bound claim has lost its PersistentVolume. {_LOST}")
    reference = volume["spec"].get("claimRef")
    if not reference or reference.get("uid") == uid_of(claim):
        return Bind(volume)
    return _lost("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")


def _lost(reason: str, message: str) -> Stay:
    return Stay("Lost", Remark("Warning", reason, message))


def _asks_for_one(claim: Obj, view: View) -> Answer:
    """A claim that names its volume. One that the scheduler or a provisioner bound names it as well."""
    volume = view.volume(claim["spec"]["volumeName"])
    if volume is None:
        return Stay("Pending")
    if not volume["spec"].get("claimRef"):
        why = mismatch(volume, claim)
        if not why:
            return Bind(volume)
        text = f'Cannot bind to requested volume "{name_of(volume)}": {why}'
        return Stay("Pending", Remark("Warning", "VolumeMismatch", text))
    if is_meant_for(volume, claim):
        return Bind(volume)
    text = f'volume "{name_of(volume)}" already bound to a different claim.'
    if BOUND_BY_CONTROLLER in annotations_of(claim):  # somebody took the mark of a finished binding away
        return Stay("Pending", Remark("Warning", "FailedBinding", f"Invalid binding: {text}"))
    return Stay("Pending", Remark("Warning", "FailedBinding", text))


def _asks_for_any(claim: Obj, view: View) -> Answer:
    name = class_of(claim)
    storage_class = view.storage_class(name) if name else None
    waits = waits_for_consumer(storage_class)
    volume = best_volume(claim, view.candidates(claim), waits=waits)
    if volume is not None:
        return Bind(volume)
    if not has_class(claim) and (default := default_class(view.classes())):
        return SetClass(default)
    if waits and SELECTED_NODE not in annotations_of(claim):
        return Stay("Pending", _waiting(view.pods(claim)))
    if not name:
        return Stay("Pending", NO_CLASS)
    if storage_class is None:
        return _failed(f'storageclass.storage.k8s.io "{name}" not found')
    provisioner = storage_class.get("provisioner", "")
    if provisioner.startswith(IN_TREE):
        return _failed(f"no volume plugin matched name: {provisioner}")
    return Provision(provisioner)


def _failed(why: str) -> Stay:
    return Stay("Pending", Remark("Warning", "ProvisioningFailed", why))


def _waiting(pods: Sequence[str]) -> Remark:
    if not pods:
        return FIRST_CONSUMER
    word = "pods" if len(pods) > 1 else "pod"
    return Remark("Normal", "WaitForPodScheduled", f"waiting for {word} {','.join(sorted(pods))} to be scheduled")
