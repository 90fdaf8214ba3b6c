"""Sending a watch: events as they come until its time is over, the client goes, or the server stops.

A client that does not read blocks only its own task; the store then cuts its watcher off, and the connection ends with
the watch's time. Source: Kubernetes' `apiserver/pkg/endpoints/handlers/watch.go`.
"""

from __future__ import annotations

import asyncio
import contextlib

from skerry.engine.api.http.encoding import Encoder
from skerry.engine.api.http.exchange import Exchange
from skerry.engine.api.response import WatchEnded, Watching
from skerry.kube.errors import StatusError

_LAST_WORDS = 5.0
"""Seconds a client is given to take the end of its stream."""


class WatchStreams:
    """The watches being sent by one server."""

    def __init__(self) -> None:
        self._pumps: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._pumps)

    def close(self) -> None:
        """End them all in order: clients see the end of their stream."""
        for pump in self._pumps:
            pump.cancel()

    async def send(self, watching: Watching, encoder: Encoder, exchange: Exchange) -> None:
        """Send one until it ends. Returns also when the client has gone."""
        await exchange.start(b"application/json")
        pump = asyncio.create_task(_pump(watching, encoder, exchange), name="watch")
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
                    await _end(watching, encoder, exchange)
        finally:
            self._pumps.discard(pump)
            for task in (pump, gone):
                task.cancel()
            watching.stream.close()
            await asyncio.wait({pump, gone})


async def _pump(watching: Watching, encoder: Encoder, exchange: Exchange) -> None:
    kind, stream = watching.kind, watching.stream
    try:
        while True:
            events = await stream.next()
            await exchange.write(b"".join([encoder.event(kind, event) for event in events]))
    except WatchEnded:
        return
    except StatusError as error:
        await exchange.write(encoder.error_event(error))


async def _end(watching: Watching, encoder: Encoder, exchange: Exchange) -> None:
    with contextlib.suppress(StatusError):
        if events := await watching.stream.bookmark():
            await exchange.write(b"".join([encoder.event(watching.kind, event) for event in events]))
    await exchange.finish()
