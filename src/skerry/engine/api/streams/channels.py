"""The channel sub-protocols: several streams in one WebSocket, each message led by its channel's number.

Pure: what a message means and how one is made; `remote_command` and `port_channels` move them. Source:
k8s.io/streaming `wsstream` and k8s.io/apimachinery `util/remotecommand`: `v5` adds the signal that closes a channel,
`v4` gives the outcome as a Status, the first version gives it as text and has a base64 variant for text-only clients.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence

from skerry.kube.records import record

STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
_CLOSE = 255


class ChannelError(Exception):
    """A message that breaks the sub-protocol."""


@record
class Message:
    """Data for a channel, or (`closed`) the end of it."""

    channel: int
    data: bytes = b""
    closed: bool = False


@record
class ChannelProtocol:
    """One sub-protocol. `text`: messages are text, their data base64. `status`: the outcome is a Status, not a text.
    `closes`: a channel can be closed on its own."""

    name: str
    text: bool = False
    status: bool = False
    closes: bool = False

    def encode(self, channel: int, data: bytes) -> bytes:
        """The WebSocket message that carries `data`."""
        if self.text:
            return str(channel).encode() + base64.b64encode(data)
        return bytes((channel,)) + data

    def decode(self, message: bytes) -> Message:
        """What a message of the client says. Raises ChannelError."""
        if not message:
            raise ChannelError("an empty message names no channel")
        if self.text:
            return _decode_text(message)
        if message[0] == _CLOSE and self.closes:
            if len(message) != 2:
                raise ChannelError("a close signal names exactly one channel")
            return Message(message[1], closed=True)
        return Message(message[0], message[1:])


V5 = ChannelProtocol("v5.channel.k8s.io", status=True, closes=True)
V4 = ChannelProtocol("v4.channel.k8s.io", status=True)
V4_BASE64 = ChannelProtocol("v4.base64.channel.k8s.io", text=True, status=True)
V1 = ChannelProtocol("channel.k8s.io")
UNNAMED = ChannelProtocol("")
V1_BASE64 = ChannelProtocol("base64.channel.k8s.io", text=True)

REMOTE_COMMAND = (V5, V4, V4_BASE64, V1, V1_BASE64)
PORT_FORWARD = (V4, V4_BASE64)


def choose(offered: Sequence[str], supported: Iterable[ChannelProtocol]) -> ChannelProtocol | None:
    """The first of the client's offers that we support, None if none is."""
    by_name = {protocol.name: protocol for protocol in supported}
    return next((by_name[name] for name in offered if name in by_name), None)


def _decode_text(message: bytes) -> Message:
    digit = message[0] - ord("0")
    if not 0 <= digit <= 9:
        raise ChannelError("a text message starts with the digit of its channel")
    try:
        return Message(digit, base64.b64decode(message[1:], validate=True))
    except binascii.Error as error:
        raise ChannelError(f"a message is not base64: {error}") from error
