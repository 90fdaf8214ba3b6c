"""Lets the file systems of mounted volumes follow their volumes: when a claim says so, and when it is mounted.

Neighbour: `growing` decides. One attempt per volume at a time; a failure is told of and tried again, less and less
often. Source of the behaviour and words: the kubelet's `operation_generator.go` (expandVolumeDuringMount, nodeExpand).
"""

from __future__ import annotations

import asyncio
import logging

from skerry.engine.config import EngineConfig
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.mounting.growing import finished, grown_to, refused
from skerry.engine.storage.mounting.journal import Journal, Published
from skerry.engine.storage.mounting.mounter import Mounter
from skerry.kube.client import Client
from skerry.kube.clock import rfc3339
from skerry.kube.errors import Conflict, NotFound, StatusError
from skerry.kube.events import Recorder
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES

log = logging.getLogger(__name__)

_FIRST_RETRY, _LAST_RETRY = 1.0, 300.0
_NEVER = ("INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND", "UNIMPLEMENTED")


class Growth:
    """Of one node."""

    def __init__(
        self,
        client: Client,
        config: EngineConfig,
        informers: Informers,
        recorder: Recorder,
        mounter: Mounter,
        journal: Journal,
    ) -> None:
        self._client = client
        self._config = config
        self._recorder = recorder
        self._mounter = mounter
        self._journal = journal
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._again: set[tuple[str, str]] = set()
        self._claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._claims.add_handler(self._claim_changed)

    async def look(self, published: Published) -> None:
        """A volume was mounted: let it have its size before anybody writes. Failures are tried again later."""
        if published.claim[1] and not published.read_only and not await self._try(published):
            self._begin(published)

    async def close(self) -> None:
        """Stop trying."""
        self._claims.remove_handler(self._claim_changed)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _claim_changed(self, delta: Delta) -> None:
        claim = delta.new
        if not self._journal.published or claim is None or not _may_wait(claim):
            return
        key = (namespace_of(claim), name_of(claim))
        for published in list(self._journal.published.values()):
            if published.claim == key and published.done and not published.read_only:
                self._begin(published)
                return

    def _begin(self, published: Published) -> None:
        """A change that comes while an attempt is under way is seen by the one after it."""
        place = published.place
        if place in self._tasks:
            self._again.add(place)
            return
        task = self._tasks[place] = asyncio.create_task(self._grow(published), name=f"grow {published.name}")
        task.add_done_callback(lambda _: self._tasks.pop(place, None))

    async def _grow(self, published: Published) -> None:
        delay = _FIRST_RETRY
        while published.key in self._journal.published:
            self._again.discard(published.place)
            if not await self._try(published):
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LAST_RETRY)
            elif published.place not in self._again:
                return

    async def _try(self, published: Published) -> bool:
        """Whether nothing is left to do."""
        try:
            return await self._attempt(published)
        except (StorageError, TimeoutError, OSError, StatusError) as error:
            message = f'MountVolume.NodeExpandVolume failed for volume "{published.name}" : {error}'
            log.warning("claim %s/%s: %s", *published.claim, message)
            self._tell(published, "Warning", "VolumeResizeFailed", message)
            return False

    async def _attempt(self, published: Published) -> bool:
        """As `_try`. Raises StorageError, TimeoutError, OSError, StatusError."""
        namespace, name = published.claim
        try:
            claim = await self._client.get(PERSISTENT_VOLUME_CLAIMS, name, namespace)
            bound = await self._client.get(PERSISTENT_VOLUMES, claim["spec"].get("volumeName") or "")
        except NotFound:
            return True
        size = grown_to(claim, bound)
        if size is None:
            return True
        try:
            await self._mounter.expand(published, size)
        except StorageError as error:
            if error.code not in _NEVER:
                raise
            self._tell(published, "Warning", "VolumeResizeFailed", error.message)
            return await self._write(claim, refused(claim, error.message, rfc3339(self._config.clock.now())))
        if not await self._write(claim, finished(claim, bound)):
            return False
        message = f'MountVolume.NodeExpandVolume succeeded for volume "{published.name}" {self._config.node_name}'
        self._tell(published, "Normal", "FileSystemResizeSuccessful", message)
        self._recorder.event(claim, "Normal", "FileSystemResizeSuccessful", message)
        return True

    async def _write(self, claim: Obj, patch: Obj) -> bool:
        """False when the claim has changed meanwhile. Raises StatusError."""
        try:
            await self._client.patch(
                PERSISTENT_VOLUME_CLAIMS, name_of(claim), patch, namespace_of(claim), subresource="status"
            )
        except Conflict:
            return False
        return True

    def _tell(self, published: Published, kind: str, reason: str, message: str) -> None:
        namespace, name = published.pod
        about = {"name": name, "namespace": namespace, "uid": published.uid}
        pod: Obj = {"apiVersion": "v1", "kind": "Pod", "metadata": about}
        self._recorder.event(pod, "Normal" if kind == "Normal" else "Warning", reason, message)


def _may_wait(claim: Obj) -> bool:
    status = claim.get("status") or {}
    infeasible = (status.get("allocatedResourceStatuses") or {}).get("storage") == "NodeResizeInfeasible"
    pending = any(one["type"] == "FileSystemResizePending" for one in status.get("conditions") or ())
    return not infeasible and (pending or bool(status.get("allocatedResourceStatuses")))
