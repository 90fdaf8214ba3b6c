"""The way into a pod for an upgraded request: the API server calls `serve_websocket` or `agree_to_spdy` after it has
let the user in.

What is asked for is checked before the handshake is answered, so that clients get a plain Status for their mistakes.
What then is spoken is the same, whatever carries it: `remote_command`, `port_forward`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from skerry.engine.api.pod_access import PodAccess, StreamSession
from skerry.engine.api.streams import channels, spdy_command, targets
from skerry.engine.api.streams.channel_command import ChannelCommand
from skerry.engine.api.streams.link import Link
from skerry.engine.api.streams.log_socket import choose_protocol, is_text, send_log
from skerry.engine.api.streams.logs import open_log
from skerry.engine.api.streams.port_channels import PortChannels
from skerry.engine.api.streams.port_forward import forward
from skerry.engine.api.streams.remote_command import CommandClient, RemoteCommand
from skerry.engine.api.streams.spdy_command import SpdyCommand
from skerry.engine.api.streams.targets import Query, Target
from skerry.engine.api.streams.tasks import cancelled
from skerry.engine.api.streams.tunnel import SUBPROTOCOL, Tunnel
from skerry.engine.api.streams.websocket import Receive, Send, WebSocket
from skerry.kube.errors import BadRequest, Forbidden, NotFound, StatusError
from skerry.kube.objects import Obj

SUBRESOURCES = ("attach", "exec", "log", "portforward")
_COMMANDS = ("attach", "exec")
_PORT_FORWARD = "portforward.k8s.io"


async def serve_websocket(
    access: PodAccess, pod: Obj, subresource: str, scope: Mapping[str, Any], receive: Receive, send: Send
) -> None:
    """Serve an authorised WebSocket scope for `pods/<subresource>` to its end, or refuse it with a Status."""
    socket = WebSocket(scope, receive, send)
    query = targets.parse_query(scope.get("query_string", b""))
    try:
        if subresource == "portforward":
            await _serve_ports(access, pod, socket, query)
        elif subresource in _COMMANDS:
            await _serve_command(access, pod, subresource, socket, query)
        elif subresource == "log":
            await _serve_log(access, pod, socket, scope.get("query_string", b""))
        else:
            raise NotFound(f'pods has no subresource "{subresource}" for streams')
    except StatusError as error:
        await socket.refuse(error)


def check_plain_request(pod: Obj, subresource: str, query_string: bytes, upgrade: str) -> StatusError:
    """Why a request that is neither a WebSocket nor SPDY/3.1 (`upgrade`: its Upgrade header) gets no stream. Mistakes
    in what it asks for come first."""
    query = targets.parse_query(query_string)
    try:
        if subresource in _COMMANDS:
            targets.command_target(pod, query, attach=subresource == "attach")
        else:
            targets.check_assigned(pod)
    except StatusError as error:
        return error
    if upgrade.upper().startswith("SPDY/"):
        return BadRequest(f"{upgrade[:32]} upgrades are not supported, use SPDY/3.1 or WebSocket")
    return BadRequest("Upgrade request required")


def agree_to_spdy(
    access: PodAccess, pod: Obj, subresource: str, query_string: bytes, offered: Sequence[str]
) -> tuple[str, Callable[[Link], Awaitable[None]]]:
    """What a SPDY/3.1 upgrade for `pods/<subresource>` is agreed to with: the protocol, of those `offered`, and who
    speaks it to the connection's end. Raises StatusError.
    """
    if subresource not in _COMMANDS:
        targets.check_assigned(pod)
        return _spdy_protocol(offered, [_PORT_FORWARD]), partial(_serve_tunnel, access, pod)
    attach = subresource == "attach"
    target = targets.command_target(pod, targets.parse_query(query_string), attach=attach)
    versions = {version.name: version for version in spdy_command.VERSIONS}
    chosen = _spdy_protocol(offered, versions)

    async def serve(link: Link) -> None:
        client = SpdyCommand(link, versions[chosen], target.options)
        await _while_connected(link, _command(access, pod, target, client))

    return chosen, serve


async def _serve_command(access: PodAccess, pod: Obj, subresource: str, socket: WebSocket, query: Query) -> None:
    """Raises StatusError before the handshake is answered."""
    target = targets.command_target(pod, query, attach=subresource == "attach")
    protocol = _channel_protocol(socket, channels.REMOTE_COMMAND)
    await socket.accept(protocol.name or None, text=protocol.text)
    client = ChannelCommand(socket, protocol, target.options)
    await _while_connected(socket, _command(access, pod, target, client))


async def _command(access: PodAccess, pod: Obj, target: Target, client: CommandClient) -> None:
    command = RemoteCommand(client, stdin=target.options.stdin)
    await command.serve(partial(_start, access, pod, target), attach=not target.command)


async def _start(access: PodAccess, pod: Obj, target: Target) -> StreamSession:
    if target.command:
        return await access.exec(pod, target.container, target.command, target.options)
    return await access.attach(pod, target.container, target.options)


async def _serve_ports(access: PodAccess, pod: Obj, socket: WebSocket, query: Query) -> None:
    """Raises StatusError before the handshake is answered."""
    targets.check_assigned(pod)
    if SUBPROTOCOL in socket.offered:
        await socket.accept(SUBPROTOCOL)
        return await _serve_tunnel(access, pod, socket)
    ports = targets.forwarded_ports(query)
    protocol = _channel_protocol(socket, channels.PORT_FORWARD)
    await socket.accept(protocol.name or None, text=protocol.text)
    return await _while_connected(socket, PortChannels(socket, protocol, ports).run(partial(forward, access, pod)))


async def _serve_tunnel(access: PodAccess, pod: Obj, link: Link) -> None:
    await _while_connected(link, Tunnel(link, partial(forward, access, pod)).run())


async def _serve_log(access: PodAccess, pod: Obj, socket: WebSocket, query_string: bytes) -> None:
    """Raises StatusError before the handshake is answered."""
    protocol = choose_protocol(socket.offered)
    chunks = await open_log(access, pod, query_string)
    try:
        await socket.accept(protocol, text=is_text(protocol))
        await _while_connected(socket, send_log(socket, chunks, protocol))
    finally:
        if isinstance(chunks, AsyncGenerator):  # ends following
            await chunks.aclose()


async def _while_connected(link: Link, conversation: Coroutine[None, None, None]) -> None:
    """Run a conversation, and end it when the connection is lost, even if it is waiting for a slow pod."""
    talking, losing = asyncio.create_task(conversation), asyncio.create_task(link.gone())
    async with cancelled(talking, losing):
        await asyncio.wait({talking, losing}, return_when=asyncio.FIRST_COMPLETED)
        if talking.done():
            await talking


def _channel_protocol(socket: WebSocket, supported: tuple[channels.ChannelProtocol, ...]) -> channels.ChannelProtocol:
    """The client's first offer that we speak; a client that offers none gets the first version, as in Kubernetes."""
    if not socket.offered:
        return channels.UNNAMED
    chosen = channels.choose(socket.offered, supported)
    if chosen is None:
        spoken = ", ".join(protocol.name for protocol in supported)
        raise BadRequest(f"none of the WebSocket sub-protocols {socket.offered} is supported, only {spoken}")
    return chosen


def _spdy_protocol(offered: Sequence[str], spoken: Iterable[str]) -> str:
    """The client's first offer that we speak. Raises BadRequest, Forbidden, in the words of apimachinery's
    `httpstream.Handshake`."""
    if not offered:
        raise BadRequest("unable to upgrade: X-Stream-Protocol-Version is required")
    accepted = list(spoken)
    chosen = next((name for name in offered if name in accepted), None)
    if chosen is None:
        client, server = " ".join(offered), " ".join(accepted)
        raise Forbidden(
            f"unable to upgrade: unable to negotiate protocol: client supports [{client}], server accepts [{server}]"
        )
    return chosen
