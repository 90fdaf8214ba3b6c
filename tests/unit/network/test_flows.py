"""Which tracked flows end with a forward."""

from __future__ import annotations

from skerry.engine.network.flows import datagram_flows
from skerry.engine.network.services import Backend, Forward


def test_datagrams_are_followed_by_where_they_were_sent_and_where_they_went() -> None:
    backends = (Backend("10.64.0.2", 53), Backend("10.64.0.3", 53))
    found = list(datagram_flows(Forward("svc/a/b/udp-53", "udp", backends[:1], ("10.65.0.9",), 53, host_port=30053)))
    assert [" ".join(flow.selection) for flow in found] == [
        "-p udp --orig-dst 10.65.0.9 --orig-port-dst 53 --dst-nat 10.64.0.2",
        "-p udp --orig-port-dst 30053 --dst-nat 10.64.0.2",
    ]
    assert list(datagram_flows(Forward("svc/a/b/tcp-53", "tcp", backends, ("10.65.0.9",), 53))) == []
