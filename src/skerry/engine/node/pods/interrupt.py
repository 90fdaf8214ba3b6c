"""Waiting that the end of a pod cuts short: for images and hooks, which may take for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class Interrupted(Exception):
    """The pod has to end; what was waited for is cancelled."""


async def unless(ending: asyncio.Event, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, unless `ending` is set first. Raises Interrupted, and whatever `work` raises."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Interrupted
    finally:
        stop.cancel()
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
