"""The size of a client's terminal, as it says it: `{"Width":80,"Height":24}`, and again after each change.

Source: client-go `tools/remotecommand.TerminalSize`.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import orjson

from skerry.engine.api.streams.channels import ChannelError

_LONGEST = 1024  # bytes of one message, many times what it takes


class Size(NamedTuple):
    """In characters."""

    width: int
    height: int


class LatestSize:
    """What the client said last: whoever missed one before it has missed nothing."""

    def __init__(self) -> None:
        self._size: Size | None = None
        self._there = asyncio.Event()

    def put(self, size: Size) -> None:
        """The terminal has a size."""
        self._size = size
        self._there.set()

    @property
    def is_new(self) -> bool:
        """Whether there is one that was not given yet."""
        return self._there.is_set()

    async def next(self) -> Size:
        """Wait for a size that was not given yet."""
        await self._there.wait()
        self._there.clear()
        assert self._size is not None
        return self._size


class Sizes:
    """Reads sizes out of a stream of bytes, however it is cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Size]:
        """The sizes that `data` completes. Raises ChannelError."""
        *whole, self._rest = (self._rest + data).split(b"}")
        if len(self._rest) > _LONGEST:
            raise ChannelError("a resize message has no end")
        return [size_of(one + b"}") for one in whole]


def size_of(data: bytes) -> Size:
    """The size of one message. Raises ChannelError."""
    try:
        said = orjson.loads(data)
        size = Size(int(said["Width"]), int(said["Height"]))
    except (ValueError, TypeError, KeyError) as error:
        raise ChannelError("a resize message is an object with Width and Height") from error
    if not (0 <= size.width <= 0xFFFF and 0 <= size.height <= 0xFFFF):
        raise ChannelError("a terminal has at most 65535 rows and columns")
    return size
