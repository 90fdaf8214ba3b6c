"""Tasks that are ended."""

from __future__ import annotations

import asyncio
import contextlib

from skerry.kube.tasks import stop


async def test_a_cancellation_that_was_lost_is_said_again() -> None:
    begun, heard = asyncio.Event(), []

    async def hard_of_hearing() -> None:
        begun.set()
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            heard.append(1)

    task = asyncio.create_task(hard_of_hearing())
    await begun.wait()
    await stop(task)
    assert task.done()
    assert len(heard) == 2


async def test_what_a_task_failed_with_is_not_raised() -> None:
    async def fails() -> None:
        raise ValueError

    over = asyncio.create_task(fails())
    await asyncio.wait([over])
    await stop(over, asyncio.create_task(asyncio.Event().wait()))
