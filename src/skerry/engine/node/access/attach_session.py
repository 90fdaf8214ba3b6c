"""A container's own streams, through the runtime's streaming server (CRI `Attach`).

containerd speaks the WebSocket subprotocol v4.channel.k8s.io, which cannot close one direction. So standard input has a
connection of its own: closing that one is the end of input, and the output goes on. The other connection asks for input
as well and never sends any: over WebSocket, containerd takes an input not asked for as one that has ended and closes
the container's. Source: k8s.io/kubelet `pkg/cri/streaming/remotecommand/websocket.go`, containerd
`pkg/cri/io/container_io.go`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.cri.ends import ended_container
from skerry.kube.errors import InternalError
from skerry.kube.pod_streams import STDERR, STDOUT, StreamOptions

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_PROTOCOL = "v4.channel.k8s.io"
_STDIN, _ERROR, _RESIZE = 0, 3, 4
_PATIENCE = 1.5  # seconds: who only detaches waits for so long


class AttachSession:
    """Implements `StreamSession`. Made by `open_attach`."""

    def __init__(
        self, cri: CriClient, container_id: str, output: ClientConnection | None, stdin: ClientConnection | None
    ) -> None:
        self._cri = cri
        self._container = container_id
        self._output = output
        self._stdin = stdin

    async def output(self) -> AsyncIterator[tuple[int, bytes]]:
        """(STDOUT or STDERR, data) until the container ends or the runtime lets go."""
        if self._output is None:
            return
        from websockets.exceptions import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):
            async for frame in self._output:
                data = frame.encode() if isinstance(frame, str) else frame
                if data[:1] in (b"\1", b"\2") and len(data) > 1:
                    yield (STDOUT if data[0] == 1 else STDERR), data[1:]

    async def write_stdin(self, data: bytes) -> None:
        """Feed standard input; waits while the process does not read."""
        await _send(self._stdin, bytes([_STDIN]) + data)

    async def close_stdin(self) -> None:
        """End of input: with `stdinOnce` the container sees it."""
        if self._stdin is not None:
            await self._stdin.close()

    async def resize(self, width: int, height: int) -> None:
        """The terminal's size in characters."""
        size = json.dumps({"Width": width, "Height": height}).encode()
        await _send(self._output or self._stdin, bytes([_RESIZE]) + size)

    async def wait(self) -> int:
        """The container's exit code; 0 when only we were let go and it runs on. Raises InternalError."""
        try:
            status = await ended_container(self._cri, self._container, _PATIENCE)
        except CriError as error:
            raise InternalError(f"the container runtime does not answer: {error}") from error
        return status.exit_code if status is not None else 0

    async def close(self) -> None:
        """Detach; the container goes on. Harmless twice."""
        for connection in (self._stdin, self._output):
            if connection is not None:
                await connection.close()


async def open_attach(cri: CriClient, container_id: str, options: StreamOptions) -> AttachSession:
    """Join a running container. Raises InternalError."""
    output: ClientConnection | None = None
    try:
        if options.stdout or options.stderr:
            request = pb.AttachRequest(
                container_id=container_id,
                stdin=True,
                stdout=options.stdout,
                stderr=options.stderr and not options.tty,
                tty=options.tty,
            )
            output = await _connect(await cri.attach(request))
        stdin = None
        if options.stdin:
            request = pb.AttachRequest(container_id=container_id, stdin=True, tty=options.tty)
            stdin = await _connect(await cri.attach(request))
    except (CriError, OSError) as error:
        if output is not None:
            await output.close()
        raise InternalError(f"cannot attach to the container: {error}") from error
    return AttachSession(cri, container_id, output, stdin)


async def _connect(url: str) -> ClientConnection:
    """Raises OSError, also for a refused handshake."""
    from websockets.asyncio.client import connect  # late: most engines never attach
    from websockets.exceptions import WebSocketException
    from websockets.typing import Subprotocol

    address = url.replace("http://", "ws://", 1)
    try:
        return await connect(
            address, subprotocols=[Subprotocol(_PROTOCOL)], compression=None, proxy=None, max_size=None, close_timeout=1
        )
    except WebSocketException as error:
        raise OSError(f"the runtime's streaming server refused: {error}") from error


async def _send(connection: ClientConnection | None, frame: bytes) -> None:
    from websockets.exceptions import ConnectionClosed

    if connection is not None:
        with contextlib.suppress(ConnectionClosed):
            await connection.send(frame)
