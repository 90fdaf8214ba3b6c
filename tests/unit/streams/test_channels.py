"""The channel codecs: what one side encodes the other decodes, and hostile messages are errors."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.api.streams import channels
from skerry.engine.api.streams.channels import V1_BASE64, V4, V5, ChannelError, ChannelProtocol, Message, choose

PROTOCOLS = st.sampled_from(channels.REMOTE_COMMAND)


@given(PROTOCOLS, st.integers(0, 4), st.binary())
def test_messages_survive(protocol: ChannelProtocol, channel: int, data: bytes) -> None:
    assert protocol.decode(protocol.encode(channel, data)) == Message(channel, data)


@given(PROTOCOLS, st.binary(max_size=20))
def test_hostile_messages_are_messages_or_errors(protocol: ChannelProtocol, data: bytes) -> None:
    with contextlib.suppress(ChannelError):
        protocol.decode(data)


def test_only_the_fifth_version_closes_channels() -> None:
    assert V5.decode(b"\xff\x00") == Message(0, closed=True)
    assert V4.decode(b"\xff\x00") == Message(255, b"\x00")


@pytest.mark.parametrize("message", [b"", b"xabc", b"0not base64!"])
def test_broken_text_messages(message: bytes) -> None:
    with pytest.raises(ChannelError):
        V1_BASE64.decode(message)


def test_the_clients_first_known_offer_wins() -> None:
    assert choose(["v9.channel.k8s.io", "v4.channel.k8s.io", "v5.channel.k8s.io"], channels.REMOTE_COMMAND) is V4
    assert choose(["v5.channel.k8s.io"], channels.PORT_FORWARD) is None
