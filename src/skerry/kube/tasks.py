"""Ending tasks that somebody started; waiting for several so that none is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, TypeVar

_T = TypeVar("_T")
_SECONDS_TO_HEAR = 2.0


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it is over; harmless when it is, or when there is none. What it failed with is
    raised."""
    if task is None:
        return
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def stop(*tasks: asyncio.Future[Any]) -> None:
    """Cancel them all and wait until they are over; what they failed with is nobody's business any more.

    A cancellation can be lost: code in between takes it for its own, or has its answer at the same moment. It is said
    again until it is heard.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_SECONDS_TO_HEAR)
    await asyncio.gather(*tasks, return_exceptions=True)


async def together(*asks: Awaitable[_T]) -> list[_T]:
    """All answers, in order; the first error, once every one has come to its end: `asyncio.gather` would raise it
    while the others are at work on connections that are closed next."""
    answers = await asyncio.gather(*asks, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
