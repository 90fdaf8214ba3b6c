"""The pods of `skerry-archives` on simulated nodes: each ends with what a real one would say."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson

from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import PODS
from skerry.kube.tasks import stop
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVES

MEASURED = {"bytes": 3 << 20, "entries": 100}
KEPT = {"sha256": "ab" * 32, "bytes": 1 << 20}
_PAUSE = 0.05


class Archiver:
    """`told`: what pods say at their end, by the end of their name; a text instead is a failure's."""

    def __init__(self, admin: HttpClient) -> None:
        self.admin = admin
        self.told: dict[str, Obj | str] = {"-measure": MEASURED, "-copy": KEPT, "-fill": {}}
        self.seen: list[str] = []

    async def run(self) -> None:
        while True:
            for pod in (await self.admin.list(PODS, ARCHIVES)).items:
                await self._look_at(pod)
            await asyncio.sleep(_PAUSE)

    async def _look_at(self, pod: Obj) -> None:
        ending = next((one for one in self.told if name_of(pod).endswith(one)), None)
        if (pod.get("status") or {}).get("phase") != "Running" or ending is None:
            return
        self.seen.append(name_of(pod))
        with contextlib.suppress(NotFound):  # it may be deleted at this very moment
            await self.finish(name_of(pod), self.told[ending])

    async def finish(self, pod: str, told: Obj | str) -> None:
        """End it with these words."""
        failed = isinstance(told, str)
        message = told if isinstance(told, str) else orjson.dumps(told).decode()
        found = await self.admin.get(PODS, pod, ARCHIVES)
        (container,) = found["status"]["containerStatuses"]
        since = found["status"]["startTime"]
        ended = {"exitCode": int(failed), "message": message, "startedAt": since, "finishedAt": since}
        container = {**container, "ready": False, "state": {"terminated": ended}}
        status = {"phase": "Failed" if failed else "Succeeded", "containerStatuses": [container]}
        await self.admin.patch(PODS, pod, {"status": status}, ARCHIVES, subresource="status")


@asynccontextmanager
async def running_archiver(admin: HttpClient) -> AsyncIterator[Archiver]:
    """It works until this is left."""
    archiver = Archiver(admin)
    task = asyncio.create_task(archiver.run())
    try:
        yield archiver
    finally:
        await stop(task)
