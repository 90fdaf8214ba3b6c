"""Open watches of ConfigMaps, over HTTP, for tests of what is sent and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from tests.support.api import RunningApi
from tests.support.waiting import LIMIT
from tests.unit.api.raw_http import connect, leave

CMS = "/api/v1/namespaces/default/configmaps"


class Events:
    """The events of an open watch, one by one."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._text = b""

    async def next(self) -> Any:
        """The next event; None at the stream's end."""
        while b"\n" not in self._text:
            size = int(await asyncio.wait_for(self._reader.readline(), LIMIT), 16)
            chunk = (await self._reader.readexactly(size + 2))[:-2]
            if not size:
                return None
            self._text += chunk
        line, _, self._text = self._text.partition(b"\n")
        return orjson.loads(line)


@asynccontextmanager
async def watch(api: RunningApi, query: str, accept: str = "*/*") -> AsyncIterator[Events]:
    reader, writer = await connect(api)
    try:
        writer.write(f"GET {CMS}?watch=1{query} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n\r\n".encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
        assert head.startswith(b"HTTP/1.1 200")
        yield Events(reader)
    finally:
        await leave(writer)
