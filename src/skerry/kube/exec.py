"""Runs a command in a container through the API, as `kubectl exec` does without a terminal and without input.

Source: `v5.channel.k8s.io` and `v4.channel.k8s.io` (k8s.io/apimachinery `util/remotecommand`): each message begins with
its channel's number. Import it where it is used, like `kube.http_client`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import aiohttp
import orjson

from skerry.kube.errors import StatusError, from_status
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.kube.resources import PODS

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDOUT, _STDERR, _ERROR = 1, 2, 3


@record
class Place:
    """A container of a running pod."""

    namespace: str
    pod: str
    container: str


@record
class Ended:
    """How a command ended: its exit code and everything it said."""

    code: int
    output: str
    errors: str


async def run(
    client: HttpClient, place: Place, command: Sequence[str], heard: Callable[[int], None] = lambda _lines: None
) -> Ended:
    """Run it to its end. `heard` is called with the lines of output so far. Raises StatusError when it cannot be run,
    OSError when the connection breaks."""
    output: list[bytes] = []
    lines = 0

    def take(data: bytes) -> None:
        nonlocal lines
        output.append(data)
        lines += data.count(b"\n")
        heard(lines)

    ended = await pour(client, place, command, take)
    return Ended(ended.code, _text(b"".join(output)), ended.errors)


async def pour(client: HttpClient, place: Place, command: Sequence[str], take: Callable[[bytes], None]) -> Ended:
    """Run it to its end; each piece of its output is given to `take` and not kept. Raises as `run` does."""
    path = PODS.path(place.namespace, place.pod, "exec")
    params = [("container", place.container), ("stdout", "true"), ("stderr", "true")]
    errors, outcome = bytearray(), bytearray()
    async with client.websocket(path, [*params, *(("command", word) for word in command)], _PROTOCOLS) as connection:
        async for channel, data in _messages(connection):
            if channel == _STDOUT:
                take(data)
            elif channel in (_STDERR, _ERROR):
                (errors if channel == _STDERR else outcome).extend(data)
    if not outcome:
        raise ConnectionError(f"the connection to {place.pod} ended before the command did")
    return Ended(exit_code(orjson.loads(bytes(outcome))), "", _text(bytes(errors)))


def exit_code(status: Obj) -> int:
    """Of the Status that ends the connection. Raises StatusError when the command could not be run."""
    if status.get("status") == "Success":
        return 0
    causes: Sequence[Any] = (status.get("details") or {}).get("causes") or ()
    for cause in causes:
        if cause.get("reason") == "ExitCode" and str(cause.get("message", "")).isdigit():
            return int(cause["message"])
    raise failure(status)


def failure(status: Obj) -> StatusError:
    """The error a Status tells of."""
    return from_status(status, int(status.get("code") or 500))


async def _messages(connection: aiohttp.ClientWebSocketResponse[bool]) -> AsyncIterator[tuple[int, bytes]]:
    async for message in connection:
        if message.type == aiohttp.WSMsgType.BINARY and message.data:
            yield message.data[0], bytes(message.data[1:])


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
