"""One forwarded connection: bytes between a lane to the client and a TCP connection inside the pod.

`tunnel` (kubectl) and `port_channels` (older clients) provide lanes. Source: the kubelet's `portforward` server: when
the pod's side ends, the lane is finished; what goes wrong is text on the lane's error stream.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from skerry.engine.api.pod_access import PodAccess
from skerry.engine.api.streams.tasks import cancelled
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj

_CHUNK = 64 << 10  # bytes read from the pod at once


class Lane(Protocol):
    """A forwarded connection as the client has it. Writing raises ClientGone when the client is."""

    async def read(self) -> bytes:
        """Some bytes of the client; b"" when it has no more, or is gone."""
        ...

    async def write(self, data: bytes) -> None:
        """Bytes for the client; waits while it does not read."""
        ...

    async def fail(self, message: str) -> None:
        """Say on the error stream what went wrong."""
        ...

    async def finish(self) -> None:
        """No more bytes for the client, in order."""
        ...


async def forward(access: PodAccess, pod: Obj, port: int, lane: Lane) -> None:
    """Connect to the pod's port and move bytes both ways until the pod's side ends. Raises ClientGone."""
    try:
        reader, writer = await access.port_forward(pod, port)
    except (StatusError, OSError) as error:
        await lane.fail(str(error))
        return await lane.finish()
    try:
        async with cancelled(asyncio.create_task(_upload(lane, writer))):
            await _download(reader, lane)
    finally:
        writer.close()
    return await lane.finish()


async def _upload(lane: Lane, writer: asyncio.StreamWriter) -> None:
    """Client to pod. A pod that no longer reads ends this direction only."""
    try:
        while data := await lane.read():
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        return


async def _download(reader: asyncio.StreamReader, lane: Lane) -> None:
    """Pod to client. A connection the pod resets ends like one it closes, as a proxy's would."""
    try:
        while data := await reader.read(_CHUNK):
            await lane.write(data)
    except OSError:
        return
