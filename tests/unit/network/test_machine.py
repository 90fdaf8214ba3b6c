"""What the kernel says about this machine's network."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from skerry.engine.network.machine import is_listened_on, own_addresses
from tests.support.waiting import eventually

ANY = "0.0.0.0"


def test_loopback_is_an_address_of_every_machine() -> None:
    found = own_addresses()
    assert "127.0.0.1" in found
    assert all(ip_address(one) for one in found)
    assert "127.0.0.0" not in found
    assert "127.255.255.255" not in found


@pytest.mark.parametrize(("protocol", "kind"), [("TCP", socket.SOCK_STREAM), ("UDP", socket.SOCK_DGRAM)])
def test_a_port_that_a_program_has_on_any_address(protocol: str, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as program:
        program.bind(("127.0.0.3", 0))
        port = program.getsockname()[1]
        if protocol == "TCP":
            program.listen()
        assert is_listened_on(ANY, protocol, port)
        assert is_listened_on("127.0.0.3", protocol, port)
    eventually(lambda: not is_listened_on("127.0.0.3", protocol, port), "a port that nobody has")


def test_connections_that_are_ending_hold_no_port() -> None:
    with socket.create_server(("127.0.0.3", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.3", port)):
            server.accept()[0].close()  # the end that closes first stays in TIME_WAIT
    eventually(lambda: not is_listened_on("127.0.0.3", "TCP", port), "a port that nobody listens on")


def test_a_protocol_without_listeners() -> None:
    assert not is_listened_on(ANY, "SCTP", 80)
