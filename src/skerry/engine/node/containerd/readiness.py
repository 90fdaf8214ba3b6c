"""Whether a containerd answers: its CRI plug-in initialised, and the process behind the socket the expected one."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.processes import ended, listener

_PAUSE = 0.02


async def wait_until_ready(path: Path, pid: int, seconds: float) -> None:
    """Return when the process `pid` answers CRI calls on `path`.

    Raises ContainerdError when it ends first, stays silent for `seconds`, or the socket is somebody else's.
    """
    ready = asyncio.create_task(_answering(path, pid))
    dead = asyncio.create_task(ended(pid))
    try:
        await asyncio.wait({ready, dead}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if dead.done():
            raise ContainerdError("containerd ended while starting")
        if not ready.done():
            raise ContainerdError(f"containerd did not answer on {path} within {seconds:.0f} s")
        ready.result()
    finally:
        for task in (ready, dead):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ContainerdError):
                await task


async def _answering(path: Path, pid: int) -> None:
    """Nothing announces that a socket listens, so it is tried again while containerd starts, and only then."""
    client = CriClient(path)
    try:
        while not (listener(path) == pid and await _initialised(client)):  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE)
    finally:
        await client.close()


async def _initialised(client: CriClient) -> bool:
    try:
        await client.status()
    except CriError as error:
        if error.unavailable or error.timed_out or "not initialized" in error.message:
            return False
        raise ContainerdError(f"containerd answers with an error: {error}") from error
    return True
