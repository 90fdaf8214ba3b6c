"""A process of clients that ask without a pause: `asking.py HOST ADDRESS PORT`, until its standard input ends.

Half of them keep their connections, and look whether these were closed before they use them again, as curl and the
libraries of all languages do. It says "asking" when one request of each sort has been answered, or one has failed; at
its end how many of each sort were answered, and how others failed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

HOST, ADDRESS, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
PAUSES = (0.0, 0.0, 0.005, 0.005, 0.1)
"""Seconds between two requests, a client each; a new connection waits so long before its request."""
PATIENCE = 20.0
"""Seconds: what takes longer is lost."""
answered: Counter[str] = Counter()
failures: Counter[str] = Counter()
begun, ended = asyncio.Event(), asyncio.Event()


def note(results: Counter[str], what: str) -> None:
    """Count what became of a request."""
    results[what] += 1
    if not begun.is_set() and (failures or len(answered) == 2):
        begun.set()
        print("asking", flush=True)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, last: bool) -> bool:
    """One request; whether another may follow."""
    head = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{'Connection: close' if last else 'X-Kept: yes'}\r\n\r\n"
    writer.write(head.encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
    if answer[0].split()[1] != "200":
        raise ValueError(answer[0])
    headers = dict(line.split(": ", 1) for line in answer[1:] if line)
    await reader.readexactly(int(headers["content-length"]))
    return headers.get("connection") != "close"


async def ask_anew(pause: float) -> None:
    """Every request on a connection of its own."""
    while not ended.is_set():
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(ADDRESS, PORT)
                await asyncio.sleep(pause)
                await exchange(reader, writer, last=True)
            writer.close()
            note(answered, "new")
        except (OSError, EOFError, ValueError) as error:
            note(failures, f"new, {pause} s: {error!r}")
        await asyncio.sleep(0.002)


async def ask_on(pause: float) -> None:
    """All requests on one connection, as long as it is there."""
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while not ended.is_set():
        try:
            if connection is None or connection[0].at_eof():
                connection = await asyncio.open_connection(ADDRESS, PORT)
            async with asyncio.timeout(PATIENCE):
                stays = await exchange(*connection, last=False)
            if not stays:
                connection[1].close()
                connection = None
            note(answered, "kept")
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
