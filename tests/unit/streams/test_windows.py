"""Flow control of what we send: nobody is waited for who gives no windows, and whoever gives some is kept to."""

from __future__ import annotations

import asyncio

import pytest

from skerry.engine.api.streams.spdy import INITIAL_WINDOW, Settings, SpdyError, WindowUpdate
from skerry.engine.api.streams.windows import Windows
from tests.support.waiting import LIMIT

_INITIAL_WINDOW_SIZE = 7


def _opened(*streams: int) -> Windows:
    windows = Windows()
    for stream in streams:
        windows.open(stream)
    return windows


async def _waits(windows: Windows, stream: int) -> bool:
    try:
        await asyncio.wait_for(windows.take(stream, 1), 0.01)
    except TimeoutError:
        return True
    return False


async def test_a_peer_that_never_gives_windows_is_not_waited_for() -> None:
    windows = _opened(1)
    for _ in range(10):
        assert await windows.take(1, INITIAL_WINDOW) == INITIAL_WINDOW


async def test_what_was_sent_before_the_first_update_counts() -> None:
    windows = _opened(1)
    await windows.take(1, INITIAL_WINDOW)
    windows.update(WindowUpdate(1, 100))
    assert await _waits(windows, 1), "the connection's window is used up"
    windows.update(WindowUpdate(0, 40))
    assert await windows.take(1, 1000) == 40


async def test_a_full_stream_does_not_hold_up_another() -> None:
    windows = _opened(1, 3)
    windows.set(Settings({_INITIAL_WINDOW_SIZE: 10}))
    assert await windows.take(1, 50) == 10
    assert await _waits(windows, 1)
    assert await windows.take(3, 50) == 10


async def test_settings_change_open_streams_too_and_may_leave_less_than_nothing() -> None:
    windows = _opened(1)
    windows.set(Settings({4: 100}))
    await windows.take(1, 1000)
    windows.set(Settings({_INITIAL_WINDOW_SIZE: 100}))
    assert await _waits(windows, 1)
    windows.update(WindowUpdate(1, 899))
    assert await _waits(windows, 1)
    windows.update(WindowUpdate(1, 8))
    assert await windows.take(1, 1000) == 7


@pytest.mark.parametrize("freed_by", ["an update", "the end"])
async def test_who_waits_is_woken(freed_by: str) -> None:
    windows = _opened(1)
    windows.set(Settings({_INITIAL_WINDOW_SIZE: 0}))
    waiting = asyncio.create_task(windows.take(1, 5))
    await asyncio.sleep(0)
    if freed_by == "an update":
        windows.update(WindowUpdate(1, 3))
    else:
        windows.close(1)
    assert await asyncio.wait_for(waiting, LIMIT) == (3 if freed_by == "an update" else 0)


@pytest.mark.parametrize("stream", [0, 1])
def test_a_window_has_a_bound(stream: int) -> None:
    windows = _opened(1)
    with pytest.raises(SpdyError, match="over the limit"):
        windows.update(WindowUpdate(stream, 2**31 - 1))


def test_updates_of_streams_that_are_over_are_nothing() -> None:
    Windows().update(WindowUpdate(9, 2**31 - 1))
