"""Volumes as reports have them, and who tells of those that outlive pods: the contract with storage.

The agent knows storage by `VolumeReports` only; `program` gives it one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from skerry.kube.records import record


@record
class VolumeFacts:
    """A mounted volume of a pod. `claim`: its claim's name, "" without one. Bytes and inodes; None: not known.
    `healthy`: whether it answered."""

    namespace: str
    pod_uid: str
    name: str
    claim: str = ""
    capacity: int | None = None
    available: int | None = None
    used: int | None = None
    inodes: int | None = None
    inodes_free: int | None = None
    inodes_used: int | None = None
    healthy: bool = True


class VolumeReports(Protocol):
    """Whoever knows the volumes that outlive pods."""

    async def volumes(self) -> Sequence[VolumeFacts]:
        """Of every pod of the machine."""
        ...


class NoVolumes:
    """For an agent without storage."""

    async def volumes(self) -> Sequence[VolumeFacts]:
        """None."""
        return ()
