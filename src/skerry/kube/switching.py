"""How a web application agrees to another protocol than HTTP: an ASGI extension, of a server that has it.

The platform's server puts a `Switching` into the scope of a request that asks for SPDY; the gateway takes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

SWITCHING = "skerry.dev/switching"


class Switching(Protocol):
    """A request's connection, for who agrees."""

    reader: asyncio.StreamReader
    """What comes after the request."""

    async def agree(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Say 101; from now on the connection is the application's, until it returns from its call."""
        ...

    async def write(self, data: bytes) -> None:
        """Bytes; waits while the client does not read. What it is sent after it has gone is lost."""
        ...

    def close(self) -> None:
        """End the connection, after what was written."""
        ...


def switching_of(scope: Mapping[str, Any]) -> Switching | None:
    """None: the request asks for no other protocol, or for one that cannot be had."""
    found: Switching | None = scope.get("extensions", {}).get(SWITCHING)
    return found
