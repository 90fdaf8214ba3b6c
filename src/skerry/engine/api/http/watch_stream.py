"""Sending a watch: events as they come until its time is over, the client goes, or the server stops.

A client that does not read blocks only its own task; the store then cuts its watcher off, and the connection ends with
the watch's time. A watch that has caught up is sent its events together with those like it (`watch_group`). Source:
Kubernetes' `apiserver/pkg/endpoints/handlers/watch.go`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Hashable, Sequence

from skerry.engine.api.http.encoding import Encoder
from skerry.engine.api.http.exchange import Exchange
from skerry.engine.api.http.watch_group import Group, Member
from skerry.engine.api.http.watch_socket import WatchSocket
from skerry.engine.api.response import Event, WatchEnded, Watching
from skerry.kube.errors import StatusError

_LAST_WORDS = 5.0
"""Seconds a client is given to take the end of its stream."""


class WatchStreams:
    """The watches being sent by one server."""

    def __init__(self) -> None:
        self._pumps: set[asyncio.Task[None]] = set()
        self._groups: dict[Hashable, Group] = {}

    def __len__(self) -> int:
        return len(self._pumps)

    def close(self) -> None:
        """End them all in order: clients see the end of their stream."""
        for pump in self._pumps:
            pump.cancel()

    async def send(self, watching: Watching, encoder: Encoder, exchange: Exchange | WatchSocket) -> None:
        """Send one until it ends. Returns also when the client has gone."""
        await exchange.start(encoder.stream_type)
        sender = _Sender(watching, encoder, exchange, self._groups)
        pump = asyncio.create_task(sender.pump(), name="watch")
        gone = asyncio.create_task(exchange.gone(), name="watch's client")
        self._pumps.add(pump)
        try:
            await asyncio.wait({pump, gone}, timeout=watching.timeout, return_when=asyncio.FIRST_COMPLETED)
            pump.cancel()
            await asyncio.wait({pump})
            if not pump.cancelled() and (error := pump.exception()):
                raise error
            if not gone.done():
                async with asyncio.timeout(_LAST_WORDS):
                    await sender.end()
        finally:
            self._pumps.discard(pump)
            for task in (pump, gone):
                task.cancel()
            await asyncio.wait({pump, gone})
            sender.stream.close()
            watching.over()


class _Sender:
    """One watch being sent, alone or in a group of those like it."""

    def __init__(
        self, watching: Watching, encoder: Encoder, exchange: Exchange | WatchSocket, groups: dict[Hashable, Group]
    ) -> None:
        self.stream = watching.stream
        """While it is in a group: of no use but to begin `again`."""
        self._kind = watching.kind
        self._encoder = encoder
        self._exchange = exchange
        self._groups = groups
        self._alike = self.stream.alike if encoder.joins else None

    async def pump(self) -> None:
        """Send until there is no more, or for ever."""
        try:
            while True:
                await self._exchange.write(self._encode(await self.stream.next()))
                if self._alike is not None and isinstance(self._exchange, Exchange) and not self._exchange.held_up:
                    await self._follow(self._alike, self._exchange)
        except WatchEnded:
            return
        except StatusError as error:
            await self._exchange.write(self._encoder.error_event(error))

    async def end(self) -> None:
        """The last events, or a bookmark if wanted, and the end."""
        with contextlib.suppress(StatusError):
            if events := await self.stream.bookmark():
                await self._exchange.write(self._encode(events))
        await self._exchange.finish()

    async def _follow(self, alike: Hashable, exchange: Exchange) -> None:
        """Be sent the group's events, if this watch has caught up with it, until it has to go on alone."""
        group, member = self._groups.get(alike), Member(exchange, self.stream.reached)
        if group is None:
            group = self._groups[alike] = Group(self.stream, self._encode, lambda: self._groups.pop(alike))
        elif member.reached < group.reached:
            return
        else:
            self.stream.close()
        try:
            await group.follow(member)
        finally:
            self.stream = self.stream.again(member.reached)

    def _encode(self, events: Sequence[Event]) -> bytes:
        return b"".join([self._encoder.event(self._kind, event) for event in events])
