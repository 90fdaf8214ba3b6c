"""A connection to a container for probes and hooks; one that fails says where it went and why, as a kubelet does.

Source of the wording: Go's `net.OpError`. Neighbours: `http_get` and `probes.checks`.
"""

from __future__ import annotations

import asyncio
import os
import ssl

from skerry.kube.authority import host_and_port


class NotConnected(OSError):
    """Nobody answered there; the text is for people."""


async def dial(
    host: str, port: int, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; cancel to limit the time. Raises NotConnected, and OSError for what TLS says."""
    try:
        return await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLError:
        raise
    except OSError as error:
        raise NotConnected(f"dial tcp {host_and_port(host, port)}: {_why(error)}") from error


def _why(error: OSError) -> str:
    """Whatever the event loop made of the error. A name that nobody knows has a negative number."""
    numbered = error.errno is not None and error.errno > 0
    return f"connect: {os.strerror(error.errno or 0).lower()}" if numbered else str(error)
