"""What a Kubernetes API server's answers mean, wherever their bytes came from: failures, and the events of a watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson

from skerry.kube.client import WatchEvent
from skerry.kube.errors import StatusError, from_status


async def events_of(chunks: AsyncIterator[bytes]) -> AsyncIterator[WatchEvent]:
    """The events of a watch's body: one JSON document a line, cut anywhere by the network."""
    rest: list[bytes] = []
    async for chunk in chunks:
        *lines, tail = chunk.split(b"\n")
        for line in lines:
            whole, rest = b"".join((*rest, line)), []
            if whole:
                yield _event(orjson.loads(whole))
        if tail:
            rest.append(tail)


def _event(event: dict[str, Any]) -> WatchEvent:
    if event["type"] == "ERROR":
        raise from_status(event["object"])
    return WatchEvent(event["type"], event["object"])


def error_of(code: int, body: bytes) -> StatusError:
    try:
        status = orjson.loads(body)
    except orjson.JSONDecodeError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return from_status(status, code)
    return from_status({"message": body[:500].decode(errors="replace").strip() or f"HTTP status {code}"}, code)
