"""A process of clients that ask without a pause: `asking.py HOST ADDRESS PORT DRAIN`, until its standard input
ends. DRAIN: seconds that a configuration which ends leaves to clients that keep their connections.

Half of them keep their connections, and look whether these were closed before they use them again, as curl and the
libraries of all languages do. It says "asking" when one request of each sort has been answered, or one has failed; at
its end how many of each sort were answered, and how others failed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

HOST, ADDRESS, PORT, DRAIN = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
PAUSES = (0.0, 0.0, 0.005, 0.005, 0.1)
"""Seconds between two requests, a client each; a new connection waits so long before its request."""
PATIENCE = 60.0
"""Seconds: what takes longer is lost."""
MAY_WAIT = DRAIN / 2
"""Seconds that a connection may wait for its first request, and for the next one from the request before on. One that
waits longer than the time to drain is closed when a configuration ends, without an answer (Go's net/http)."""
answered: Counter[str] = Counter()
failures: Counter[str] = Counter()
begun, ended = asyncio.Event(), asyncio.Event()


def note(results: Counter[str], what: str) -> None:
    """Count what became of a request."""
    results[what] += 1
    if not begun.is_set() and (failures or len(answered) == 2):
        begun.set()
        print("asking", flush=True)


class TooSlow(Exception):
    """The machine did not let this client run for so long that its connection was closed. It may ask once more."""


class Connection:
    """One that is there."""

    def __init__(self, began: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._since = reader, writer, began

    @classmethod
    async def open(cls) -> Connection:
        """A new one."""
        began = time.monotonic()
        return cls(began, *await asyncio.open_connection(ADDRESS, PORT))

    @property
    def is_over(self) -> bool:
        """Whether the server has closed it."""
        return self._reader.at_eof()

    def close(self) -> None:
        """End it."""
        self._writer.close()

    async def exchange(self, *, last: bool) -> bool:
        """One request; whether another may follow. Raises TooSlow."""
        head = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{'Connection: close' if last else 'X-Kept: yes'}\r\n\r\n"
        self._writer.write(head.encode())
        sent = time.monotonic()
        try:
            answer = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if sent - self._since > MAY_WAIT and not getattr(error, "partial", b""):
                raise TooSlow from None
            raise
        if answer[0].split()[1] != "200":
            raise ValueError(answer[0])
        headers = dict(line.split(": ", 1) for line in answer[1:] if line)
        await self._reader.readexactly(int(headers["content-length"]))
        self._since = sent
        return headers.get("connection") != "close"


async def ask_anew(pause: float) -> None:
    """Every request on a connection of its own."""
    while not ended.is_set():
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await Connection.open()
                await asyncio.sleep(pause)
                await connection.exchange(last=True)
            connection.close()
            note(answered, "new")
        except TooSlow:
            continue
        except (OSError, EOFError, ValueError) as error:
            note(failures, f"new, {pause} s: {error!r}")
        await asyncio.sleep(0.002)


async def ask_on(pause: float) -> None:
    """All requests on one connection, as long as it is there."""
    connection: Connection | None = None
    while not ended.is_set():
        try:
            if connection is None or connection.is_over:
                connection = await Connection.open()
            async with asyncio.timeout(PATIENCE):
                stays = await connection.exchange(last=False)
            if not stays:
                connection.close()
                connection = None
            note(answered, "kept")
        except TooSlow:
            connection = None
            continue
        except (OSError, EOFError, ValueError) as error:
            connection = None
            note(failures, f"kept, {pause} s: {error!r}")
        await asyncio.sleep(pause)


async def main() -> None:
    """Ask until told to end."""
    asyncio.get_running_loop().add_reader(0, ended.set)
    await asyncio.gather(*(ask(pause) for ask in (ask_anew, ask_on) for pause in PAUSES))
    print(json.dumps({"answered": answered, "failures": failures}))


asyncio.run(main())
