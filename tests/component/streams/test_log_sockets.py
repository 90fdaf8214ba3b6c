"""pods/log over WebSockets, as web consoles read it and Kubernetes' conformance tests do."""

from __future__ import annotations

import base64

import pytest
from websockets.exceptions import InvalidStatus

from tests.component.streams.local_pods import LocalPods
from tests.component.streams.test_channel_protocols import _all, opened
from tests.support.api import RunningApi
from tests.support.waiting import until


@pytest.mark.parametrize("protocol", ["binary.k8s.io", None])
async def test_the_log_is_the_messages(server: RunningApi, protocol: str | None) -> None:
    async with opened(server, "", protocol, "log") as socket:
        assert b"".join(await _all(socket)) == b"one\ntwo\n"
    assert socket.close_code == 1000
    assert socket.subprotocol == protocol


async def test_text_for_clients_that_take_text(server: RunningApi) -> None:
    async with opened(server, "", "base64.binary.k8s.io", "log") as socket:
        messages = await _all(socket)
    assert all(isinstance(one, str) for one in messages)
    assert b"".join(base64.b64decode(one) for one in messages) == b"one\ntwo\n"


async def test_mistakes_are_told_before_the_handshake(server: RunningApi) -> None:
    for query, protocol, code in (
        ("container=nobody", "binary.k8s.io", 400),
        ("tailLines=-1", "binary.k8s.io", 422),
        ("", "v4.channel.k8s.io", 400),
    ):
        with pytest.raises(InvalidStatus) as caught:
            async with opened(server, query, protocol, "log"):
                pass
        assert caught.value.response.status_code == code


async def test_following_ends_with_the_client(server: RunningApi, pods: LocalPods) -> None:
    async with opened(server, "follow=1", "binary.k8s.io", "log") as socket:
        assert await socket.recv()
    following = pods.sessions[-1]._process  # type: ignore[attr-defined]
    await until(lambda: following.returncode is not None)
