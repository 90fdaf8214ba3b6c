"""Which volume a claim gets: pure. Asked by the binder (no node) and by the scheduler (for a node).

Source: `FindMatchingVolume` of `k8s.io/component-helpers/storage/volume`, and the order of access modes of
`pkg/controller/volume/persistentvolume/index.go`. Who asks gives only volumes that are kept for the claim or are
nobody's and of its class, so that nothing here grows with volumes of other claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from skerry.kube.objects import Obj, is_deleting, labels_of, name_of
from skerry.kube.quantities import parse_quantity
from skerry.kube.selectors import selector_of
from skerry.kube.volumes import class_of, is_meant_for

Reaches = Callable[[Obj], bool]
"""Whether a volume can be used where the claim's pod shall go."""


def size_of(volume: Obj) -> Decimal:
    """Bytes that a volume has."""
    return parse_quantity((volume["spec"].get("capacity") or {}).get("storage") or "0")


def size_asked(claim: Obj) -> Decimal:
    """Bytes that a claim asks for."""
    return parse_quantity(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage") or "0")


def mismatch(volume: Obj, claim: Obj) -> str:
    """Why a claim cannot have the volume it names, or "" (Kubernetes' `checkVolumeSatisfyClaim`)."""
    if size_asked(claim) > size_of(volume):
        return "requested PV is too small"
    if class_of(claim) != class_of(volume):
        return "storageClassName does not match"
    if _attributes(claim) != _attributes(volume):
        return "volumeAttributesClassName does not match"
    if differs_in_mode(volume, claim):
        return "incompatible volumeMode"
    return "" if allows_access(volume, claim) else "incompatible accessMode"


def best_volume(claim: Obj, volumes: Iterable[Obj], *, waits: bool) -> Obj | None:
    """The volume for a claim, wherever it is. `waits`: the scheduler binds it, unless a volume is kept for it."""
    fitting = [one for one in volumes if _could_be(one, claim) and allows_access(one, claim)]
    kept = next((one for one in _by_modes(fitting) if is_meant_for(one, claim)), None)
    if kept is not None or waits:
        return kept
    return _smallest(one for one in fitting if _is_free(one, claim))


def best_volume_at(claim: Obj, volumes: Iterable[Obj], reaches: Reaches) -> Obj | None:
    """The volume for a claim whose pod goes to a node. One that is kept for the claim and does not reach it: none."""
    fitting = [one for one in volumes if _could_be(one, claim)]
    kept = next((one for one in fitting if is_meant_for(one, claim)), None)
    if kept is not None:
        return kept if reaches(kept) else None
    return _smallest(one for one in fitting if _is_free(one, claim) and reaches(one) and allows_access(one, claim))


def allows_access(volume: Obj, claim: Obj) -> bool:
    """Whether the volume has all access modes the claim asks for."""
    return set(claim["spec"].get("accessModes") or ()) <= set(volume["spec"].get("accessModes") or ())


def differs_in_mode(volume: Obj, claim: Obj) -> bool:
    """Whether one is a device and the other a file system."""
    return _mode(volume) != _mode(claim)


def _could_be(volume: Obj, claim: Obj) -> bool:
    """Whether it is the claim's or nobody's, large enough and of its kind."""
    return (
        (not volume["spec"].get("claimRef") or is_meant_for(volume, claim))
        and not is_deleting(volume)
        and size_of(volume) >= size_asked(claim)
        and not differs_in_mode(volume, claim)
        and _attributes(volume) == _attributes(claim)
    )


def _is_free(volume: Obj, claim: Obj) -> bool:
    if (volume.get("status") or {}).get("phase") != "Available" or class_of(volume) != class_of(claim):
        return False
    selector = claim["spec"].get("selector")
    return selector is None or selector_of(selector).matches(labels_of(volume))


def _smallest(volumes: Iterable[Obj]) -> Obj | None:
    """Of those with the fewest modes beyond what is asked, the smallest; names decide between equals."""
    return min(volumes, key=lambda one: (_mode_count(one), size_of(one), name_of(one)), default=None)


def _by_modes(volumes: Iterable[Obj]) -> list[Obj]:
    return sorted(volumes, key=_mode_count)


def _mode_count(volume: Obj) -> int:
    return len(volume["spec"].get("accessModes") or ())


def _mode(obj: Obj) -> str:
    return str(obj["spec"].get("volumeMode") or "Filesystem")


def _attributes(obj: Obj) -> str:
    return str(obj["spec"].get("volumeAttributesClassName") or "")
