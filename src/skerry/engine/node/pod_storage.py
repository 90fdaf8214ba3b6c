"""What the node agent asks of whoever mounts volumes that outlive pods: the contract with the storage room.

Volumes it `is_for` are set up with the pod's others, before the sandbox, and taken back after the last container has
ended and before the pod's object goes. `program.pod_volumes` gives the agent `storage.mounting`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from skerry.kube.objects import Obj


class PodStorage(Protocol):
    """Whoever mounts claims and their like. Nothing here blocks the event loop; whatever hangs ends by a time-out."""

    def is_for(self, volume: Obj) -> bool:
        """Whether a volume of a pod's definition is one of these."""

    async def set_up(self, pod: Obj) -> Mapping[str, Path]:
        """Make all of them ready: a directory each, or a device for a block volume. Harmless when they are.
        Raises VolumeError."""

    async def tear_down(self, uid: str) -> bool:
        """Take back everything of a pod, also after a crash or half a `set_up`; False when something had to be left,
        which is tried again without being asked. Never raises for what a driver does."""

    def pods(self) -> Iterable[str]:
        """The uids of pods that have something mounted or half mounted, those of earlier engines included."""

    def holds(self, uid: str) -> bool:
        """Whether a pod is among them."""

    def is_read_only(self, uid: str, volume: str) -> bool:
        """Whether a volume that was set up for a pod must not be written, whatever its containers ask for."""

    def in_use(self) -> list[str]:
        """For `status.volumesInUse` of the node: volumes that must stay attached."""

    def listen(self, changed: Callable[[str], None]) -> None:
        """Have `changed` called with a pod's uid when a volume that could not be set up may be ready now."""


class NoPodStorage:
    """For an agent without storage: such volumes are refused by name."""

    def is_for(self, volume: Obj) -> bool:
        """None is."""
        return False

    async def set_up(self, pod: Obj) -> Mapping[str, Path]:
        """There are none."""
        return {}

    async def tear_down(self, uid: str) -> bool:
        """There are none."""
        return True

    def pods(self) -> Iterable[str]:
        """There are none."""
        return ()

    def holds(self, uid: str) -> bool:
        """None is."""
        return False

    def is_read_only(self, uid: str, volume: str) -> bool:
        """There are none."""
        return False

    def in_use(self) -> list[str]:
        """There are none."""
        return []

    def listen(self, changed: Callable[[str], None]) -> None:
        """Nothing changes."""
