"""Claims as people ask for them: size, use, who has them mounted. Pure: made of objects of the API.

Usage is what the kubelets' Summary says; a claim that is not mounted has none, because nobody can look into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.quantities import bytes_of
from skerry.kube.records import record

_ENDED = ("Succeeded", "Failed")


@record
class Measured:
    """What is in a volume: bytes and inodes, None where nobody says. `healthy`: whether it answers."""

    capacity: int | None = None
    used: int | None = None
    available: int | None = None
    inodes: int | None = None
    inodes_used: int | None = None
    healthy: bool = True


@record
class Claim:
    """A claim. `size` and `requested` in bytes; `pods`: those that have it and have not ended, with their nodes."""

    namespace: str
    name: str
    phase: str
    storage_class: str
    volume: str
    size: int | None
    requested: int
    pods: Sequence[tuple[str, str]] = ()
    measured: Measured | None = None

    @property
    def percent(self) -> float | None:
        """Of bytes in use, as df(1) counts."""
        one = self.measured
        if one is None or one.used is None:
            return None
        whole = one.used + one.available if one.available is not None else one.capacity
        return 100.0 * one.used / whole if whole else None

    @property
    def inode_percent(self) -> float | None:
        """Of inodes in use; None where there is no bound."""
        one = self.measured
        return 100.0 * one.inodes_used / one.inodes if one and one.inodes and one.inodes_used is not None else None

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        one = self.measured
        used = {
            "used": one.used,
            "available": one.available,
            "inodes": one.inodes,
            "inodesUsed": one.inodes_used,
            "healthy": one.healthy,
        } if one is not None else {}  # fmt: skip
        return {
            "namespace": self.namespace,
            "name": self.name,
            "phase": self.phase,
            "storageClass": self.storage_class,
            "volume": self.volume,
            "size": self.size,
            "requested": self.requested,
            **used,
            "usedPercent": _rounded(self.percent),
            "inodesUsedPercent": _rounded(self.inode_percent),
            "pods": [name for name, _ in self.pods],
            "nodes": sorted({node for _, node in self.pods}),
        }


Measures = Mapping[tuple[str, str], Measured]
"""By namespace and name of the claim."""


def claims_of(claims: Iterable[Obj], pods: Iterable[Obj], measures: Measures) -> list[Claim]:
    """All of them, by namespace and name."""
    users: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for pod in pods:
        for claim in mounted_claims(pod):
            users.setdefault((namespace_of(pod), claim), []).append((name_of(pod), pod["spec"].get("nodeName", "")))
    listed = [_claim(one, users, measures) for one in claims]
    return sorted(listed, key=lambda one: (one.namespace, one.name))


def mounted_claims(pod: Obj) -> dict[str, str]:
    """The names of the volumes of a pod that has not ended, by the claims they are of, those of its own included."""
    if (pod.get("status") or {}).get("phase") in _ENDED:
        return {}
    found = {}
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            found[volume["persistentVolumeClaim"]["claimName"]] = volume["name"]
        elif volume.get("ephemeral"):
            found[f"{name_of(pod)}-{volume['name']}"] = volume["name"]
    return found


def measures_of(summary: Obj) -> dict[tuple[str, str], Measured]:
    """What a kubelet's Summary says of claims."""
    found = {}
    for pod in summary.get("pods") or ():
        for volume in pod.get("volume") or ():
            reference = volume.get("pvcRef")
            if reference:
                found[reference["namespace"], reference["name"]] = _measured(volume)
    return found


def by_use(claims: Iterable[Claim]) -> list[Claim]:
    """The fullest first, those nobody can look into last."""
    return sorted(
        claims, key=lambda one: (-(max(one.percent or -1.0, one.inode_percent or -1.0)), one.namespace, one.name)
    )


def _claim(claim: Obj, users: Mapping[tuple[str, str], Sequence[tuple[str, str]]], measures: Measures) -> Claim:
    spec, status = claim["spec"], claim.get("status") or {}
    key = namespace_of(claim), name_of(claim)
    size = (status.get("capacity") or {}).get("storage")
    requested = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")
    return Claim(
        *key,
        phase=status.get("phase", "Pending"),
        storage_class=spec.get("storageClassName") or "",
        volume=spec.get("volumeName") or "",
        size=bytes_of(size) if size else None,
        requested=bytes_of(requested),
        pods=sorted(users.get(key, ())),
        measured=measures.get(key),
    )


def _measured(volume: Obj) -> Measured:
    return Measured(
        capacity=volume.get("capacityBytes"),
        used=volume.get("usedBytes"),
        available=volume.get("availableBytes"),
        inodes=volume.get("inodes"),
        inodes_used=volume.get("inodesUsed"),
        healthy=not (volume.get("volumeHealthStats") or {}).get("abnormal"),
    )


def _rounded(percent: float | None) -> float | None:
    return round(percent, 1) if percent is not None else None
