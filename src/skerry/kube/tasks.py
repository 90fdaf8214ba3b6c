"""Ending tasks that somebody started; waiting for several so that none is left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, TypeVar

_T = TypeVar("_T")


async def end(task: asyncio.Task[None] | None) -> None:
    """Cancel a task and wait until it is over; harmless when it is, or when there is none. What it failed with is
    raised."""
    if task is None:
        return
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def stop(*tasks: asyncio.Future[Any]) -> None:
    """Cancel them all and wait until they are over; what they failed with is nobody's business any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def together(*asks: Awaitable[_T]) -> list[_T]:
    """All answers, in order; the first error, once every one has come to its end: `asyncio.gather` would raise it
    while the others are at work on connections that are closed next."""
    answers = await asyncio.gather(*asks, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]
