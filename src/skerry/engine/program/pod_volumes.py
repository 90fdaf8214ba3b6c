"""The storage room as the node agent knows it (`node.pod_storage`): its failures become those of a pod."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from skerry.engine.node.errors import VolumeError
from skerry.engine.storage.mounting.mounter import MountError
from skerry.engine.storage.mounting.pods import PodMounts
from skerry.engine.storage.mounting.sources import is_ours
from skerry.kube.objects import Obj


class PodVolumes:
    """All pods of the node."""

    def __init__(self, mounts: PodMounts) -> None:
        self._mounts = mounts

    def is_for(self, volume: Obj) -> bool:
        """Claims, inline CSI volumes, NFS exports."""
        return is_ours(volume)

    async def set_up(self, pod: Obj) -> Mapping[str, Path]:
        """Raises VolumeError."""
        try:
            return await self._mounts.set_up(pod)
        except MountError as error:
            raise VolumeError(str(error)) from error

    async def tear_down(self, uid: str) -> bool:
        """False when something stays for now."""
        return await self._mounts.tear_down(uid)

    def pods(self) -> Iterable[str]:
        """Who has something mounted."""
        return self._mounts.pods()

    def holds(self, uid: str) -> bool:
        """Whether a pod has."""
        return self._mounts.holds(uid)

    def is_read_only(self, uid: str, volume: str) -> bool:
        """For all containers of the pod."""
        return self._mounts.is_read_only(uid, volume)

    def in_use(self) -> list[str]:
        """What must stay attached."""
        return self._mounts.in_use()

    def listen(self, changed: Callable[[str], None]) -> None:
        """Pods to be tried again."""
        self._mounts.listen(changed)
