"""The bounded buffer: order, back-pressure, and ends that nobody waits behind."""

from __future__ import annotations

import asyncio

import pytest

from skerry.engine.api.streams.inbox import Inbox, Room
from tests.support.waiting import LIMIT


async def test_what_waits_comes_at_once_and_in_order() -> None:
    inbox = Inbox()
    for data in (b"a", b"", b"b"):
        await inbox.put(data)
    assert await inbox.get() == b"ab"
    inbox.end()
    assert await inbox.get() == b""
    assert await inbox.get() == b""


async def test_the_rest_is_read_after_the_end() -> None:
    inbox = Inbox()
    await inbox.put(b"rest")
    inbox.end()
    await inbox.put(b"late")
    assert await inbox.get() == b"rest"
    assert await inbox.get() == b""


async def test_a_full_inbox_makes_the_writer_wait() -> None:
    inbox = Inbox(limit=4)
    await inbox.put(b"four")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(inbox.put(b"more"), 0.01)
    assert await inbox.get() == b"four"
    await asyncio.wait_for(inbox.put(b"more"), LIMIT)


async def test_discarding_frees_a_waiting_writer_and_its_memory() -> None:
    inbox = Inbox(limit=1)
    await inbox.put(b"x")
    waiting = asyncio.create_task(inbox.put(b"y"))
    await asyncio.sleep(0)
    inbox.discard()
    await asyncio.wait_for(waiting, LIMIT)
    assert await inbox.get() == b""


@pytest.mark.parametrize("freed_by", ["reading", "discarding"])
async def test_inboxes_share_a_room(freed_by: str) -> None:
    room = Room(4)
    full, other = Inbox(room=room), Inbox(room=room)
    await full.put(b"four")
    waiting = asyncio.create_task(other.put(b"more"))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    if freed_by == "reading":
        await full.get()
    else:
        full.discard()
    await asyncio.wait_for(waiting, LIMIT)
    assert await other.get() == b"more"


async def test_a_reader_waits_for_the_first_bytes() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reading.done()
    await inbox.put(b"now")
    assert await reading == b"now"
