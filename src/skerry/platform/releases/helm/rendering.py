"""Lets the platform see what Helm is about to apply, and change or refuse it: a socket for one run of Helm.

Helm's post-renderer (`stub`) connects, sends the manifests and applies the answer. Neighbour: `program`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from skerry.kube.errors import StatusError

log = logging.getLogger(__name__)

Render = Callable[[str], Awaitable[str]]
"""Manifests as Helm rendered them to manifests as they are applied. Raises Refused, StatusError, OSError."""
_LARGEST = 32 * 1024 * 1024
"""Bytes of manifests. Helm could not keep a release a tenth of this size."""


class Refused(Exception):
    """They are not to be applied; the text is for whoever wants them."""


class Rendering:
    """What came of it: Helm keeps to itself what a post-renderer complains of."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self.refusal = ""
        self.failure: StatusError | OSError | None = None
        """The API did not answer: nobody is to blame, and it is tried again."""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            answer = b"+" + (await self._render(await _sent(reader))).encode()
        except (Refused, ValueError) as error:
            self.refusal = str(error)
            answer = b"-"
        except (StatusError, OSError) as error:
            self.failure = error
            answer = b"-"
        except Exception as error:  # whatever shape a chart gives to what it renders: Helm waits for an answer
            log.exception("manifests cannot be looked at")
            self.refusal = f"what the chart renders cannot be used: {error}"
            answer = b"-"
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()


@asynccontextmanager
async def rendering(socket: Path, render: Render) -> AsyncIterator[Rendering]:
    """Answer on a socket, while inside. The directory is what keeps others away."""
    given = Rendering(render)
    server = await asyncio.start_unix_server(given.answer, str(socket))
    try:
        yield given
    finally:
        server.close()
        await server.wait_closed()


async def _sent(reader: asyncio.StreamReader) -> str:
    sent = bytearray()
    while piece := await reader.read(65536):
        sent += piece
        if len(sent) > _LARGEST:
            raise Refused("the chart renders more than 32 MiB of manifests")
    return sent.decode()
