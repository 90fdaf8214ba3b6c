"""Tasks that their runtime has forgotten and containerd has not, which then can neither be stopped nor removed.

Killed at the wrong moment, containerd does not learn that the runtime (crun, runc) has deleted a task, and asks for its
end for ever: crun answers that it knows no such task in words that containerd 1.6 does not understand. What holds the
task is its pod's shim. When that one ends, containerd tidies up after it, and the next attempt goes well.
Neighbours: `cleanup`, `actions` and `killer`, which stop and remove. Source: `checkKillError` of containerd's
`pkg/process/utils.go`, and `cleanupAfterDeadShim` of its runtime v2.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from skerry.engine.node.containerd import processes
from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri.client import CriError

log = logging.getLogger(__name__)

_FORGOTTEN = ("unknown error after kill", "No such file or directory")
"""What the shim says, and what the runtime says."""


@asynccontextmanager
async def ending_in_earnest(context: NodeContext, sandbox_id: str) -> AsyncIterator[None]:
    """Around what stops a part of a sandbox, or all of it. Raises the CriError in any case: try again."""
    try:
        yield
    except CriError as error:
        if all(words in error.message for words in _FORGOTTEN):
            log.warning("sandbox %s: the runtime has forgotten it, ending its shim", sandbox_id)
            await asyncio.to_thread(_end_shim, context, sandbox_id)
        raise


def _end_shim(context: NodeContext, sandbox_id: str) -> None:
    shims = processes.shims(context.config.paths.containerd_socket, sandbox_id)
    processes.kill_and_wait(shims)
