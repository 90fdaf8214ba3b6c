"""Bytes both ways between a client and a backend that have agreed on a protocol of their own.

Either end may go first: then the other one is told, after what was under way has been sent.
"""

from __future__ import annotations

import asyncio
import contextlib

from skerry.engine.api.http.exchange import Exchange
from skerry.engine.api.response import Upgraded

_CHUNK = 64 * 1024


async def tunnel(agreed: Upgraded, exchange: Exchange) -> None:
    """Tell the client of the agreement and be the pipe until either side ends."""
    exchange.patient = True
    assert exchange.beyond is not None  # only who asked is agreed with
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in agreed.headers]
    try:
        await exchange.switch(fields)
        await exchange.send(agreed.begun)
        pumps = [
            asyncio.create_task(_to_backend(exchange.beyond, agreed.writer)),
            asyncio.create_task(_to_client(agreed.reader, exchange)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
    finally:
        exchange.end()
        agreed.writer.close()
        with contextlib.suppress(OSError):
            await agreed.writer.wait_closed()


async def _to_backend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


async def _to_client(reader: asyncio.StreamReader, exchange: Exchange) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            await exchange.send(data)
