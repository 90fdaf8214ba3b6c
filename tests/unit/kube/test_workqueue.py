"""The work queue: once per key, never two workers on one key, delays and back-off."""

import asyncio

import pytest
import uvloop

from skerry.kube.workqueue import WorkQueue
from tests.support.waiting import LIMIT


async def take_now(queue: WorkQueue) -> str:
    return await asyncio.wait_for(queue.take(), LIMIT)


async def test_a_key_added_twice_is_taken_once() -> None:
    queue = WorkQueue()
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert [await take_now(queue), await take_now(queue)] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_while_worked_on_waits_for_done() -> None:
    queue = WorkQueue()
    queue.add("a")
    await take_now(queue)
    queue.add("a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), 0.01)
    queue.done("a")
    assert await take_now(queue) == "a"


async def test_one_key_wakes_one_waiting_worker() -> None:
    queue = WorkQueue()
    workers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)
    queue.add("a")
    done, waiting = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == ["a"]
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    queue.add("b")
    assert await take_now(queue) == "b"


async def test_a_key_is_not_lost_with_a_cancelled_worker() -> None:
    queue = WorkQueue()
    worker = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add("a")
    worker.cancel()
    await asyncio.wait([worker])
    assert await take_now(queue) == "a"


async def test_the_earlier_of_two_appointments_stands() -> None:
    queue = WorkQueue()
    queue.add_after("a", 3000)
    queue.add_after("a", 0.01)
    queue.add_after("a", 6000)
    assert await take_now(queue) == "a"
    queue.close()


async def test_back_off_doubles_until_forgotten() -> None:
    queue = WorkQueue()
    for expected in (1, 2, 3):
        queue.add_rate_limited("a")
        assert queue.failures("a") == expected
        await take_now(queue)
        queue.done("a")
    queue.forget("a")
    assert queue.failures("a") == 0


async def test_nothing_comes_after_close() -> None:
    queue = WorkQueue()
    queue.add_after("a", 0.001)
    queue.close()
    queue.add_after("b", 0.001)
    await asyncio.sleep(0.01)
    assert len(queue) == 0


def test_a_delay_too_short_for_the_loop_to_time_counts_like_any_other() -> None:
    """uvloop gives a plain handle, without a time, for delays under a millisecond."""

    async def add_twice() -> str:
        queue = WorkQueue()
        queue.add_after("a", 0.0)
        queue.add_after("a", 0.0)
        try:
            return await queue.take()
        finally:
            queue.close()

    assert uvloop.run(add_twice()) == "a"
