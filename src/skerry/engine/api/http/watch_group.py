"""Watches alike (of the same events, in the same form) share their work: one reads and encodes for all of them.

An event then costs each of them a write to its connection and nothing else. Who has caught up takes part (`follow`);
who does not read is put out, and goes on alone from where it was, held up by its own connection only, until it has
caught up again. Where many take part, what comes close together is sent in one piece, because a write (encryption, the
kernel, the client's wake-up) costs several times what one more event in it does. Neighbour: `watch_stream`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from skerry.engine.api.http.exchange import Exchange, framed
from skerry.engine.api.response import Event, EventStream
from skerry.kube.errors import StatusError

log = logging.getLogger(__name__)

_MANY = 32
"""Members from which on a group pauses after it has sent something."""
_PAUSE, _REST = 0.004, 3
"""Seconds, and times what the sending took if that is longer. What comes after a quiet time is never held back, what
follows it no longer than this; and a machine that is too slow for all events one by one gets them in larger pieces,
instead of falling behind ever more."""

Encode = Callable[[Sequence[Event]], bytes]


@dataclass(slots=True, eq=False)
class Member:
    """One watch in a group. `reached`: the revision up to which it had everything when it came, or when it left."""

    exchange: Exchange
    reached: int
    left: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Group:
    """Watches alike that have caught up, at least one. Owns `stream` until the last of them has left."""

    def __init__(self, stream: EventStream, encode: Encode, ended: Callable[[], object]) -> None:
        self._stream = stream
        self._encode = encode
        self._ended = ended
        self._members: dict[Member, None] = {}
        self._reading = asyncio.create_task(self._read(), name="watches alike")

    @property
    def reached(self) -> int:
        """The revision up to which members have everything."""
        return self._stream.reached

    async def follow(self, member: Member) -> None:
        """Be sent events until this watch has to go on alone, from `member.reached`."""
        self._members[member] = None
        try:
            await member.left
        finally:
            if member in self._members:
                self._put_out(member, self.reached)

    def _put_out(self, member: Member, reached: int) -> None:
        del self._members[member]
        member.reached = max(member.reached, reached)
        if not member.left.done():
            member.left.set_result(None)
        if not self._members:
            self._ended()
            self._stream.close()
            self._reading.cancel()

    async def _read(self) -> None:
        try:
            while True:
                events = await self._stream.next()
                began = monotonic()
                self._send(events)
                if len(self._members) >= _MANY:
                    await asyncio.sleep(max(_PAUSE, _REST * (monotonic() - began)))
        except StatusError as error:
            log.debug("watches alike go on alone: %s", error)  # and each finds out for itself
        finally:
            for member in tuple(self._members):
                self._put_out(member, self.reached)

    def _send(self, events: Sequence[Event]) -> None:
        """To everybody who reads; those who came lately know a part of it already."""
        first, piece = events[0].revision, framed(self._encode(events))
        for member in tuple(self._members):
            if member.exchange.held_up:
                self._put_out(member, first - 1)
            elif member.reached < first:
                member.exchange.put(piece)
            elif news := [event for event in events if event.revision > member.reached]:
                member.exchange.put(framed(self._encode(news)))
