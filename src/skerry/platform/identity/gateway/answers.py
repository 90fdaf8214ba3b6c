"""Answers of the gateway's own: a Kubernetes `Status`, over HTTP or instead of a WebSocket."""

from __future__ import annotations

import orjson
from starlette.types import Send

from skerry.kube.errors import StatusError

_JSON = (b"content-type", b"application/json")
_CHALLENGE = (b"www-authenticate", b'Bearer realm="skerry"')
_UNAUTHORIZED = 401


async def answer(send: Send, error: StatusError, *, instead_of_socket: bool = False) -> None:
    """Tell the client."""
    headers = [_JSON, *([_CHALLENGE] if error.code == _UNAUTHORIZED else [])]
    await answer_raw(send, error.code, headers, orjson.dumps(error.to_json()), instead_of_socket=instead_of_socket)


async def answer_raw(
    send: Send, code: int, headers: list[tuple[bytes, bytes]], body: bytes, *, instead_of_socket: bool = False
) -> None:
    """An answer that is whole."""
    kind = "websocket.http" if instead_of_socket else "http"
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    length = (b"content-length", str(len(body)).encode())
    await send({"type": f"{kind}.response.start", "status": code, "headers": [*kept, length]})
    await send({"type": f"{kind}.response.body", "body": body})
