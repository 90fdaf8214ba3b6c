"""Which volumes nobody speaks of, and which PersistentVolumes speak of nothing. Pure.

A volume is made before its PersistentVolume is written: one that never had one is no orphan until it is a minute old,
nor while its claim waits. One that had a PersistentVolume which is gone is an orphan at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

from skerry.engine.definitions.storage_pools import MOST_LISTED
from skerry.engine.storage.contract import Volume
from skerry.kube.clock import rfc3339, time_left
from skerry.kube.objects import Obj, is_deleting, name_of, uid_of
from skerry.kube.records import record

GRACE = 60.0
"""Seconds a volume may be without a PersistentVolume before it counts as an orphan."""


@record
class Orphan:
    """`since`: when it was first seen without a PersistentVolume."""

    volume: Volume
    since: datetime


@record
class Missing:
    """A PersistentVolume whose volume the driver does not have."""

    name: str
    handle: str
    claim: str


@record
class Findings:
    """Of one driver. `seen`: when each volume without a PersistentVolume was first seen so; `had`: handles of volumes
    that were seen with one; `again`: seconds until the youngest of `seen` is old enough, None when there is none."""

    volumes: Sequence[Volume] = ()
    orphans: Sequence[Orphan] = ()
    missing: Sequence[Missing] = ()
    seen: Mapping[str, datetime] = field(default_factory=dict)
    had: frozenset[str] = frozenset()
    again: float | None = None


@record
class Objects:
    """What the API has: all PersistentVolumes and all claims. `earlier`: handles that PersistentVolumes had before the
    driver was asked: what was deleted meanwhile is nobody's orphan."""

    persistent_volumes: Sequence[Obj]
    claims: Sequence[Obj]
    earlier: frozenset[str] = frozenset()


def compare(
    driver: str,
    volumes: Sequence[Volume],
    objects: Objects,
    before: Findings,
    now: datetime,
) -> Findings:
    """What is wrong with the volumes of a driver. `before`: the last look; `now`: by the wall clock."""
    spoken_of = {handle_of(one): one for one in volumes_of(driver, objects.persistent_volumes)}
    waiting = [uid_of(claim) for claim in objects.claims if not claim["spec"].get("volumeName")]
    there = {one.handle for one in volumes}
    alone = [
        one
        for one in volumes
        if one.handle not in spoken_of
        and one.handle not in objects.earlier
        and not any(uid and uid in one.handle for uid in waiting)
    ]
    fresh = {one.handle: before.seen.get(one.handle, now) for one in alone}
    left = {handle: 0.0 if handle in before.had else time_left(GRACE, since, now) for handle, since in fresh.items()}
    orphans = [Orphan(one, fresh[one.handle]) for one in alone if not left[one.handle]]
    gone = [one for handle, one in spoken_of.items() if handle not in there and not _is_going(one)]
    return Findings(
        volumes=volumes,
        orphans=sorted(orphans, key=lambda one: (one.since, one.volume.handle)),
        missing=sorted((_missing(one) for one in gone), key=lambda one: one.name),
        seen=fresh,
        had=frozenset(handle for handle in there if handle in spoken_of or handle in before.had),
        again=min((seconds for seconds in left.values() if seconds), default=None),
    )


def volumes_of(driver: str, persistent_volumes: Iterable[Obj]) -> list[Obj]:
    """The PersistentVolumes of a driver."""
    return [one for one in persistent_volumes if driver_of(one) == driver]


def driver_of(persistent_volume: Obj) -> str:
    """The CSI driver of a PersistentVolume, "" when it has none."""
    return str((persistent_volume["spec"].get("csi") or {}).get("driver", ""))


def handle_of(persistent_volume: Obj) -> str:
    """What its CSI driver calls it."""
    return str((persistent_volume["spec"].get("csi") or {}).get("volumeHandle", ""))


@record
class Verdict:
    """What to do about `spec.reclaim`: delete these; refuse those, with the reason."""

    delete: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def judge(wanted: Iterable[str], findings: Findings, driver: str, persistent_volumes: Iterable[Obj]) -> Verdict:
    """Only what was found to be an orphan may be deleted, and no PersistentVolume may have it by now."""
    owners = {handle_of(one): name_of(one) for one in volumes_of(driver, persistent_volumes)}
    orphans = {one.volume.handle for one in findings.orphans}
    there = {one.handle for one in findings.volumes}
    refused = {}
    for handle in wanted:
        if handle in owners:
            refused[handle] = f"PersistentVolume {owners[handle]} has it"
        elif handle not in orphans and handle in there:
            refused[handle] = "it is too new to count as an orphan: a claim may be waiting for it"
    return Verdict([handle for handle in wanted if handle in orphans and handle not in refused], refused)


def status(findings: Findings, available: int | None) -> Obj:
    """Of the StoragePool, without conditions and what was refused."""
    orphans = [
        {"handle": one.volume.handle, "size": one.volume.size, "since": rfc3339(one.since)} for one in findings.orphans
    ]
    missing = [
        {"persistentVolume": one.name, "handle": one.handle, **({"claim": one.claim} if one.claim else {})}
        for one in findings.missing
    ]
    return {
        **({"available": available} if available is not None else {}),
        "promised": sum(one.size for one in findings.volumes),
        "volumes": len(findings.volumes),
        "orphanCount": len(orphans),
        "missingCount": len(missing),
        "orphans": orphans[:MOST_LISTED],
        "missing": missing[:MOST_LISTED],
    }


def _missing(persistent_volume: Obj) -> Missing:
    claim = persistent_volume["spec"].get("claimRef") or {}
    bound = f"{claim.get('namespace')}/{claim['name']}" if claim.get("name") else ""
    return Missing(name_of(persistent_volume), handle_of(persistent_volume), bound)


def _is_going(persistent_volume: Obj) -> bool:
    """Whether its data is being deleted, as it should be."""
    released = (persistent_volume.get("status") or {}).get("phase") == "Released"
    return is_deleting(persistent_volume) or (
        released and persistent_volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
    )
