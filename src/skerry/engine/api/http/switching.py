"""A connection that has switched to a protocol that is spoken here (SPDY): what comes after the request, and back.

Neighbours: `exchange`, which it stands on, `streams.link`, whose contract it keeps, `piping` for what others speak.
"""

from __future__ import annotations

from skerry.engine.api.http.exchange import Exchange
from skerry.engine.api.response import Switched
from skerry.engine.api.streams.link import ClientGone

_CHUNK = 64 * 1024


async def switch(agreed: Switched, exchange: Exchange) -> None:
    """Tell the client of the agreement, and have it spoken to the connection's end."""
    exchange.patient = True
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in agreed.headers]
    try:
        await exchange.switch(fields)
        await agreed.speak(SwitchedLink(exchange))
    finally:
        exchange.end()


class SwitchedLink:
    """A `Link`."""

    def __init__(self, exchange: Exchange) -> None:
        assert exchange.beyond is not None  # only who asked is agreed with
        self._reader = exchange.beyond
        self._exchange = exchange
        self.gone = exchange.gone

    async def receive(self) -> bytes | None:
        """Some bytes, None when the client is gone."""
        return await self._reader.read(_CHUNK) or None

    async def send(self, data: bytes) -> None:
        """Bytes in order; waits while the client does not read. Raises ClientGone."""
        await self._exchange.send(data)
        if self._exchange.lost or self._exchange.ended:
            raise ClientGone

    async def close(self) -> None:
        """End in order."""
        self._exchange.end()

    async def break_off(self, reason: str) -> None:
        """The same: the protocol has its own words for it, and none for a reason."""
        self._exchange.end()
