"""The queue on the event loop the engine uses."""

from __future__ import annotations

import asyncio

import uvloop

from skerry.kube.workqueue import WorkQueue
from tests.support.waiting import LIMIT


def test_a_key_that_is_due_now_can_be_put_off_again() -> None:
    async def scenario() -> list[str]:
        queue = WorkQueue()
        queue.add_after("a", 0.0)
        queue.add_after("a", 0.0)
        queue.add_after("b", 0.0003)
        queue.add_after("b", 5000.0)
        taken = [await queue.take(), await queue.take()]
        queue.close()
        return taken

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert sorted(runner.run(asyncio.wait_for(scenario(), LIMIT))) == ["a", "b"]
