"""SPDY's flow control of what we send: how much a peer lets a stream, and its connection, have under way.

The library of Kubernetes' own clients neither gives windows nor keeps to them: to wait for it would be to wait for
ever, and TCP holds it back. So a peer's windows are counted from the beginning and kept to once it has shown that it
gives any, by its first SETTINGS or WINDOW_UPDATE. Source: the SPDY protocol, draft 3.1, section 2.6.8.
"""

from __future__ import annotations

import asyncio

from skerry.engine.api.streams.spdy import INITIAL_WINDOW, Settings, SpdyError, WindowUpdate

_INITIAL_WINDOW_SIZE = 7
"""The setting's id."""
_LARGEST = 2**31 - 1


class Windows:
    """What may be sent on one connection, in bytes."""

    def __init__(self) -> None:
        self._initial = INITIAL_WINDOW
        self._of_connection = INITIAL_WINDOW
        self._of_streams: dict[int, int] = {}
        self._given = False
        self._changed = asyncio.Event()

    def open(self, stream: int) -> None:
        """A stream begins."""
        self._of_streams[stream] = self._initial

    def close(self, stream: int) -> None:
        """Nothing more is sent on a stream; harmless twice."""
        if self._of_streams.pop(stream, None) is not None:
            self._tell()

    async def take(self, stream: int, wanted: int) -> int:
        """How many of `wanted` bytes, more than none, may be sent now; waits for some. 0: the stream is closed."""
        while stream in self._of_streams:
            may = min(wanted, self._of_connection, self._of_streams[stream]) if self._given else wanted
            if may > 0:
                self._of_connection -= may
                self._of_streams[stream] -= may
                return may
            await self._changed.wait()
        return 0

    def update(self, more: WindowUpdate) -> None:
        """The peer gives more. Raises SpdyError for more than a window holds."""
        self._given = True
        if more.stream == 0:
            self._of_connection = _widened(self._of_connection, more.delta)
        elif more.stream in self._of_streams:
            self._of_streams[more.stream] = _widened(self._of_streams[more.stream], more.delta)
        self._tell()

    def set(self, settings: Settings) -> None:
        """The peer says how large the windows of streams are, of those that are open too. Raises SpdyError."""
        initial = settings.values.get(_INITIAL_WINDOW_SIZE)
        if initial is None:
            return
        self._given = True
        more, self._initial = initial - self._initial, initial
        for stream, window in self._of_streams.items():
            self._of_streams[stream] = _widened(window, more)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _widened(window: int, more: int) -> int:
    if window + more > _LARGEST:
        raise SpdyError(f"a window of {window + more} bytes is over the limit of {_LARGEST}")
    return window + more
