"""The storage room as the node agent knows it (`node.pod_storage`): its failures become those of a pod.

What mounts is imported and made when the first pod has a volume for it, or an earlier engine had: a start has no time
for more. Until then nothing is mounted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.engine.node.errors import VolumeError
from skerry.engine.storage.mounting.errors import MountError
from skerry.engine.storage.mounting.sources import is_ours, wanted
from skerry.engine.storage.usage.mounted import MountedVolume
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.engine.storage.mounting.pods import PodMounts


class PodVolumes:
    """All pods of the node. `storage`: where the journal is; `make` makes what mounts."""

    def __init__(self, storage: Path, make: Callable[[], PodMounts]) -> None:
        self._storage = storage
        self._make = make
        self._mounts: PodMounts | None = None
        self._making = asyncio.Lock()
        self._listeners: list[Callable[[str], None]] = []

    async def start(self) -> None:
        """Before the agent starts: take over from an earlier engine."""
        places = [self._storage / name for name in ("published", "staged")]
        if any(place.is_dir() and any(place.iterdir()) for place in places):
            await self._made()

    async def close(self) -> None:
        """After the agent: mounts stay."""
        if self._mounts is not None:
            await self._mounts.close()

    async def _made(self) -> PodMounts:
        async with self._making:
            if self._mounts is None:
                await asyncio.to_thread(import_module, "skerry.engine.storage.mounting.pods")
                self._mounts = await self._begun(self._make())
            return self._mounts

    async def _begun(self, mounts: PodMounts) -> PodMounts:
        for listener in self._listeners:
            mounts.listen(listener)
        try:
            await mounts.start()
        except BaseException:  # the pod that asked first ends: nobody may go on listening beside the next one's
            await mounts.close()
            raise
        return mounts

    def is_for(self, volume: Obj) -> bool:
        """Claims, inline CSI volumes, NFS exports."""
        return is_ours(volume)

    async def set_up(self, pod: Obj) -> Mapping[str, Path]:
        """Raises VolumeError."""
        if not wanted(pod):
            return {}
        try:
            return await (await self._made()).set_up(pod)
        except MountError as error:
            raise VolumeError(str(error)) from error

    async def tear_down(self, uid: str) -> bool:
        """False when something stays for now."""
        return self._mounts is None or await self._mounts.tear_down(uid)

    def pods(self) -> Iterable[str]:
        """Who has something mounted."""
        return self._mounts.pods() if self._mounts is not None else ()

    def holds(self, uid: str) -> bool:
        """Whether a pod has."""
        return self._mounts is not None and self._mounts.holds(uid)

    def is_read_only(self, uid: str, volume: str) -> bool:
        """For all containers of the pod."""
        return self._mounts is not None and self._mounts.is_read_only(uid, volume)

    def in_use(self) -> list[str]:
        """What must stay attached."""
        return self._mounts.in_use() if self._mounts is not None else []

    def mounted(self) -> Sequence[MountedVolume]:
        """What can be measured (`storage.usage`)."""
        return self._mounts.mounted() if self._mounts is not None else ()

    def listen(self, changed: Callable[[str], None]) -> None:
        """Pods to be tried again. Said before the first pod is set up."""
        self._listeners.append(changed)
