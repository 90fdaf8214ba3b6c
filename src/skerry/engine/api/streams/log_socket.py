"""pods/log over a WebSocket: each chunk is a message, the end of the log closes the socket.

Source: k8s.io/streaming `wsstream.Reader`: binary messages, or text in base64 for clients that take text only.
Neighbour: `logs`, which opens the log.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

from skerry.engine.api.streams.link import ClientGone
from skerry.engine.api.streams.websocket import WebSocket
from skerry.kube.errors import BadRequest

_BINARY, _TEXT = "binary.k8s.io", "base64.binary.k8s.io"


def choose_protocol(offered: list[str]) -> str | None:
    """The client's first offer that we speak, None for a client that offers none. Raises BadRequest."""
    chosen = next((one for one in offered if one in (_BINARY, _TEXT)), None)
    if offered and chosen is None:
        raise BadRequest(f"none of the WebSocket sub-protocols {offered} is supported, only {_BINARY}, {_TEXT}")
    return chosen


async def send_log(socket: WebSocket, chunks: AsyncIterator[bytes], protocol: str | None) -> None:
    """Everything, to an accepted socket. The caller ends it when the connection is lost."""
    try:
        async for chunk in chunks:
            await socket.send(base64.b64encode(chunk) if protocol == _TEXT else chunk)
    except ClientGone:
        return
    await socket.close()


def is_text(protocol: str | None) -> bool:
    """Whether messages are text."""
    return protocol == _TEXT
