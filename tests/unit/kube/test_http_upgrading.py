"""Requests for another protocol: what is sent, and what must not be."""

from __future__ import annotations

import pytest

from skerry.kube.http_upgrading import request_bytes


def test_a_request_has_its_own_connection_and_length() -> None:
    sent = request_bytes("POST", "/exec?x=1", [("host", "api"), ("x", "ä")], "SPDY/3.1", b"")
    assert sent == (
        b"POST /exec?x=1 HTTP/1.1\r\nhost: api\r\nx: \xe4\r\n"
        b"connection: Upgrade\r\nupgrade: SPDY/3.1\r\ncontent-length: 0\r\n\r\n"
    )


@pytest.mark.parametrize("field", [("x", "a\r\nImpersonate-User: root"), ("x\n", "a"), ("x", "a\0")])
def test_no_header_becomes_two(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="would end its line"):
        request_bytes("GET", "/", [field], "websocket", b"")


def test_nor_does_a_target() -> None:
    with pytest.raises(ValueError, match="would end its line"):
        request_bytes("GET", "/ HTTP/1.1\r\nx: y", [], "websocket", b"")
