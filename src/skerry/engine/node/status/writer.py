"""Writes pod statuses to the API: only changes, the latest wins, one write at a time per pod.

Neighbours: `pods.worker` hands statuses in; `kube.client` takes them. Invariants: a status handed in is written or
overtaken by a newer one of the same pod, also when the API fails for a while; `flush` returns when what was handed in
before is written or the pod is gone. The patch names the pod's uid, so it can never reach a successor of the same name.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from skerry.kube.client import Client
from skerry.kube.errors import Conflict, Invalid, NotFound, StatusError
from skerry.kube.objects import Obj, key_of, name_of, namespace_of, uid_of
from skerry.kube.resources import PODS

log = logging.getLogger(__name__)

_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0  # seconds between attempts while the API fails


class StatusWriter:
    """All pods of the node. Keys are pod uids."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._written: dict[str, Obj] = {}
        self._wanted: dict[str, tuple[Obj, Obj]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def set(self, pod: Obj, status: Obj) -> None:
        """Have this status written, unless the API already has it."""
        uid = uid_of(pod)
        if uid not in self._wanted and _plain(status) == _plain(self._written.get(uid) or pod.get("status") or {}):
            return
        self._wanted[uid] = (pod, status)
        if uid not in self._tasks:
            self._tasks[uid] = asyncio.create_task(self._write(uid), name=f"status of {key_of(pod)}")

    def last(self, uid: str) -> Obj | None:
        """The status last handed in for a pod: newer than what a cache may show."""
        if uid in self._wanted:
            return self._wanted[uid][1]
        return self._written.get(uid)

    async def flush(self, uid: str) -> None:
        """Wait until the pod's status is written."""
        task = self._tasks.get(uid)
        if task is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(task)

    def forget(self, uid: str) -> None:
        """The pod is gone: write nothing more about it."""
        self._wanted.pop(uid, None)
        self._written.pop(uid, None)

    async def close(self) -> None:
        """Stop writing."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _write(self, uid: str) -> None:
        delay = _FIRST_DELAY
        try:
            while uid in self._wanted:
                pod, status = self._wanted[uid]
                try:
                    await self._patch(pod, status)
                except (NotFound, Invalid) as error:
                    log.info("status of pod %s not written: %s", key_of(pod), error)
                except Conflict as error:
                    if await self._exists(pod):
                        continue
                    log.info("status of pod %s not written: %s", key_of(pod), error)
                except (StatusError, OSError) as error:
                    log.warning("status of pod %s not written, trying again: %s", key_of(pod), error)
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, _LONGEST_DELAY)
                    continue
                self._done(uid, pod, status)
        finally:
            self._tasks.pop(uid, None)

    async def _exists(self, pod: Obj) -> bool:
        """Whether the API still has this pod, not a successor of its name."""
        try:
            return uid_of(await self._client.get(PODS, name_of(pod), namespace_of(pod))) == uid_of(pod)
        except NotFound:
            return False

    def _done(self, uid: str, pod: Obj, status: Obj) -> None:
        if uid not in self._wanted:
            return  # forgotten while it was written
        self._written[uid] = status
        if self._wanted[uid][1] is status:
            del self._wanted[uid]

    async def _patch(self, pod: Obj, status: Obj) -> None:
        patch: Obj = {"metadata": {"uid": uid_of(pod)}, "status": status}
        await self._client.patch(PODS, name_of(pod), patch, namespace_of(pod), kind="merge", subresource="status")


def _plain(status: Obj) -> Obj:
    """Without the keys that a patch removes."""
    return {key: value for key, value in status.items() if value is not None}
