"""Shims that containerd does not know: it was killed while it started them, and the next one never hears of them.

`agent` looks for them when it starts and when containerd is back. The record of a sandbox is made before its shim is
started and removed after its end, so that a shim without one is nobody's.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from skerry.engine.node.containerd import processes
from skerry.engine.node.containerd.client import ContainerdCallError, ContainerdClient

log = logging.getLogger(__name__)


async def end_strays(containerd: ContainerdClient, socket: Path) -> None:
    """End them. Raises ContainerdCallError when containerd cannot be asked."""
    shims = await asyncio.to_thread(processes.sandboxes_of_shims, socket)
    for pid, sandbox_id in shims.items():
        try:
            await containerd.container(sandbox_id)
        except ContainerdCallError as error:
            if error.code != "NOT_FOUND":
                raise
            log.warning("shim %d: containerd has no sandbox %s, ending it", pid, sandbox_id)
            await asyncio.to_thread(processes.kill_and_wait, [pid])
