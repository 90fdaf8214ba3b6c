"""A command in a container, with input and output as they come: `v5.channel.k8s.io`, or v4 of older clusters.

Neighbours: `terminal` (a person's shell), `files` (tar and friends), `kube.exec` (commands that only say something).
Source: k8s.io/apimachinery `util/remotecommand`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import orjson

from skerry.kube.exec import exit_code
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.portal.streams.reach import Container, Reach, subresource_target

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
_CLOSE = 255
_V5, _V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
_LARGEST_MESSAGE = 32 * 1024
"""Bytes of input in one message, as kubectl sends them."""


@record
class Command:
    """What to run, and where."""

    at: Container
    words: Sequence[str]
    stdin: bool = False
    tty: bool = False

    @property
    def target(self) -> str:
        """The path that runs it, and its query."""
        flags = [("stdin", self.stdin), ("stdout", True), ("stderr", not self.tty), ("tty", self.tty)]
        asked = [(name, "true") for name, wanted in flags if wanted]
        return subresource_target(self.at, "exec", [*asked, *(("command", word) for word in self.words)])


class Running:
    """A command that was begun. Read `output` to its end, then ask for `code`."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._connection = connection
        self._outcome: Obj | None = None

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """What it says, each piece with STDOUT or STDERR."""
        async for message in self._connection:
            if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
                continue
            channel, data = message.data[0], bytes(message.data[1:])
            if channel == ERROR:
                self._outcome = orjson.loads(data)
            elif data and channel in (STDOUT, STDERR):
                yield channel, data

    async def send(self, data: bytes) -> None:
        """To its input; returns when the connection takes more. Raises OSError."""
        for start in range(0, len(data), _LARGEST_MESSAGE):
            await self._write(STDIN, data[start : start + _LARGEST_MESSAGE])

    async def close_input(self) -> None:
        """There is no more. Clusters that speak v4 only cannot be told."""
        if self._connection.protocol == _V5:
            await self._write(_CLOSE, bytes((STDIN,)))

    async def resize(self, columns: int, rows: int) -> None:
        """Of its terminal."""
        await self._write(RESIZE, orjson.dumps({"Width": columns, "Height": rows}))

    def code(self) -> int:
        """Its exit code. Raises StatusError when it could not be run, ConnectionError when its end is not known."""
        if self._outcome is None:
            raise ConnectionError("the connection to the container ended before the command did")
        return exit_code(self._outcome)

    async def _write(self, channel: int, data: bytes) -> None:
        try:
            await self._connection.send_bytes(bytes((channel,)) + data)
        except aiohttp.ClientError as error:
            raise ConnectionError(f"the connection to the container broke: {error}") from error


@asynccontextmanager
async def begun(reach: Reach, command: Command) -> AsyncIterator[Running]:
    """Leaving it ends the connection, and with it what reads from it. Raises StatusError, OSError."""
    async with reach.websocket(command.target, (_V5, _V4)) as connection:
        yield Running(connection)


async def said(reach: Reach, command: Command, largest: int) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a command that ends; no more than `largest` bytes of output: what says more is
    broken off with exit code 0. Raises StatusError, OSError."""
    output, errors = bytearray(), bytearray()
    async with begun(reach, command) as running:
        async for channel, data in running.output():
            (output if channel == STDOUT else errors).extend(data)
            if len(output) > largest or len(errors) > largest:
                return 0, bytes(output[:largest]), bytes(errors[:largest])
        return running.code(), bytes(output), bytes(errors)
