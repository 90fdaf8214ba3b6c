"""Waiting for CRI to show an end that is known otherwise: from an event, or from streams that broke off.

CRI of containerd 1.6 has no events of its own and shows an end some 40 ms after it, later on a busy machine. So it is
asked again after growing pauses. What still runs when patience is over is taken as it is: it was no end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError

State = TypeVar("State")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 1.0  # seconds
PATIENCE = 4.0  # seconds, for an end that is likely
CERTAIN = 3600.0
"""Seconds for an end that was announced: nobody tells of it again, and on a slow disk CRI lags far behind."""


async def once_over(
    ask: Callable[[], Awaitable[State | None]], over: Callable[[State], bool], patience: float = PATIENCE
) -> State | None:
    """The answer of `ask` once `over` holds of it, or the last one when `patience` (seconds) is over; None: it does not
    exist. Raises what `ask` raises."""
    loop = asyncio.get_running_loop()
    give_up, pause = loop.time() + patience, _FIRST_PAUSE
    while True:
        state = await ask()
        if state is None or over(state) or loop.time() > give_up:
            return state
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def ended_container(cri: CriClient, container_id: str, patience: float = PATIENCE) -> pb.ContainerStatus | None:
    """A container that is thought to have ended; None when it does not exist. Raises CriError."""

    async def ask() -> pb.ContainerStatus | None:
        try:
            return (await cri.container_status(container_id)).status
        except CriError as error:
            if error.not_found:
                return None
            raise

    return await once_over(ask, lambda status: status.state == pb.CONTAINER_EXITED, patience)
