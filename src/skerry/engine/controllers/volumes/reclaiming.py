"""What follows when a volume is released: it is kept, deleted, or it is said why it cannot be.

Volumes that a provisioner made are deleted by it. Of the others only `hostPath` volumes below /tmp can be deleted,
which Kubernetes has for tests. Recycling is refused by name: Kubernetes has deprecated it for a decade. Source:
`reclaimVolume` of Kubernetes' PersistentVolume controller and `pkg/volume/hostpath`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import PurePosixPath

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.newest import Newest
from skerry.engine.controllers.volumes.volumes import is_deleted_elsewhere, policy_of
from skerry.engine.controllers.volumes.writing import Writing
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, is_deleting, name_of, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES

_AGAIN = 60.0
"""Seconds until a deletion that failed is tried again."""
_NO_RECYCLING = "Recycling is not supported by this release: use the reclaim policy Delete or Retain"


class VolumeReclaimer(Controller):
    """Keys are volumes. Beside the binder, which says that one is released: a deletion may take long."""

    name = "persistentvolume-reclaimer"
    workers = 2

    def __init__(self, context: Context) -> None:
        super().__init__()
        informers = context.informers
        self._volumes = Newest(informers.of(PERSISTENT_VOLUMES))
        self._client = context.client
        self._recorder = context.recorder.named("persistentvolume-controller")
        self._has_machine = context.host.is_real
        self._writing = Writing(context, Newest(informers.of(PERSISTENT_VOLUME_CLAIMS)), self._volumes)
        self.watch(self._volumes.cache, lambda volume: (name_of(volume),) if is_released(volume) else ())

    async def reconcile(self, key: str) -> float | None:
        """Do what the policy of a released volume says. Returns seconds until it should be tried again."""
        volume = self._volumes.get(key)
        if volume is None or not is_released(volume) or is_deleting(volume):
            return None
        try:
            return await self._reclaim(volume)
        except NotFound:
            return None

    async def _reclaim(self, volume: Obj) -> float | None:
        policy = policy_of(volume)
        if policy == "Recycle":
            await self._fail(volume, "VolumeFailedRecycle", _NO_RECYCLING)
        elif policy == "Delete" and not is_deleted_elsewhere(volume):
            return await self._delete(volume)
        return None

    async def _delete(self, volume: Obj) -> float | None:
        why = refusal(volume)
        if why:
            await self._fail(volume, "VolumeFailedDelete", why)
            return None
        if self._has_machine:
            try:
                await asyncio.to_thread(remove_directory, volume["spec"]["hostPath"]["path"])
            except OSError as error:
                await self._fail(volume, "VolumeFailedDelete", str(error))
                return _AGAIN
        await self._client.delete(PERSISTENT_VOLUMES, name_of(volume), None, {"preconditions": {"uid": uid_of(volume)}})
        return None

    async def _fail(self, volume: Obj, reason: str, message: str) -> None:
        if (volume.get("status") or {}).get("phase") != "Failed":
            failed = await self._writing.mark_volume(volume, "Failed", message)
            self._recorder.event(failed, "Warning", reason, message)


def is_released(volume: Obj) -> bool:
    """Whether its claim is gone. Who takes `claimRef` away gives it free instead."""
    reference = volume["spec"].get("claimRef") or {}
    return bool(reference.get("uid")) and (volume.get("status") or {}).get("phase") in ("Released", "Failed")


def refusal(volume: Obj) -> str:
    """Why a released volume cannot be deleted here, or ""."""
    source = volume["spec"].get("hostPath")
    if source is None:
        return f'error getting deleter volume plugin for volume "{name_of(volume)}": no deletable volume plugin matched'
    path = PurePosixPath(source.get("path", ""))
    below = path.parts[:2] == ("/", "tmp") and len(path.parts) > 2 and ".." not in path.parts
    return "" if below else f"host_path deleter only supports /tmp/.+ but received provided {path}"


def remove_directory(path: str) -> None:
    """Delete what is at a path below /tmp; harmless when nothing is there. A link on the way there is not followed:
    who may write to /tmp could point it anywhere. Raises OSError."""
    parts = PurePosixPath(path).parts[1:]
    folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        _remove(parts[-1], folder)
    except FileNotFoundError:
        return
    finally:
        os.close(folder)


def _remove(name: str, folder: int) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except (IsADirectoryError, PermissionError):
        shutil.rmtree(name, dir_fd=folder)
