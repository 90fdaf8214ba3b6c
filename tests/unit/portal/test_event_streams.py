"""Server-sent events: they end when what they tell of ends, fails, or may not be seen any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from skerry.kube.errors import Forbidden
from skerry.platform.base.at_a_time import AtATime
from skerry.platform.identity.login.often import TooMany
from skerry.portal.streams.events import event, guarded, streamed


class Told:
    """Events that a test gives, and whether whoever made them was let go."""

    def __init__(self, *pieces: bytes, error: Exception | None = None, stays: bool = False) -> None:
        self._pieces, self._error, self._stays = pieces, error, stays
        self.closed = False

    async def events(self) -> AsyncGenerator[bytes, None]:
        try:
            for one in self._pieces:
                yield one
            if self._error:
                raise self._error
            if self._stays:
                await asyncio.Event().wait()
        finally:
            self.closed = True


async def _never() -> str:
    await asyncio.Event().wait()
    return ""


async def _heard(told: Told, quiet: float = 60.0) -> list[bytes]:
    return [piece async for piece in guarded(told.events(), _never(), quiet)]


async def test_they_end_in_order() -> None:
    told = Told(event("line", ["a\nb"]))
    assert await _heard(told) == [b'event: line\ndata: ["a\\nb"]\n\n', b'event: end\ndata: {"why":""}\n\n']
    assert told.closed


async def test_a_failure_is_told() -> None:
    heard = await _heard(Told(b"x", error=Forbidden("anna may not read logs")))
    assert heard == [b"x", event("end", {"why": "anna may not read logs"})]
    assert (await _heard(Told(error=ConnectionError("gone"))))[-1] == event("end", {"why": "gone"})


async def test_the_end_of_access_ends_them() -> None:
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ended() -> str:
        return await over

    told, heard = Told(b"x", stays=True), []
    async for piece in guarded(told.events(), ended(), 60.0):
        heard.append(piece)
        if piece == b"x":
            over.set_result("the session is over")
    assert heard == [b"x", event("end", {"why": "the session is over"})]
    assert told.closed


async def test_quiet_ones_show_that_they_are_there_and_let_go() -> None:
    told = Told(stays=True)
    stream = guarded(told.events(), _never(), 0.01)
    assert await anext(stream) == b": still here\n\n"
    await stream.aclose()
    assert told.closed


async def test_nobody_has_more_than_so_many() -> None:
    few = AtATime(1, lambda user, most: TooMany(f"{user} has {most}"))
    first = streamed(few.one_more("anna"), Told(b"x").events(), _never())
    with pytest.raises(TooMany):
        streamed(few.one_more("anna"), Told(b"x").events(), _never())
    for one in (first, streamed(few.one_more("ben"), Told(b"x").events(), _never())):
        assert len([piece async for piece in one.body_iterator]) == 2
    with few.one_more("anna"):
        pass
