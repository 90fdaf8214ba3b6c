"""Names and addresses told apart, and what of resolv.conf is asked."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import dns.message
import dns.rrset
import pytest

from skerry.engine.network.dns.resolver import address_of, topic_of
from skerry.engine.network.dns.upstream import nameservers, time_to_keep

OWN = [IPv4Network("10.64.0.0/16"), IPv4Network("10.65.0.0/16")]


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("web.default.svc", "default/web"),
        ("_http._tcp.web.default.svc", "default/web"),
        ("one.peers.default.svc", "default/peers"),
        ("default.svc", ""),
        ("10-64-0-5.default.pod", ""),
        ("", ""),
    ],
)
def test_a_name_belongs_to_its_service(name: str, topic: str) -> None:
    assert topic_of(name.split(".")) == topic


def test_reverse_names_are_addresses() -> None:
    assert address_of(["1", "0", "65", "10", "in-addr", "arpa"]) == IPv4Address("10.65.0.1")
    for other in ("0.65.10.in-addr.arpa", "1.0.65.999.in-addr.arpa", "a.b.c.d.in-addr.arpa", "1.0.65.10.ip6.arpa"):
        assert address_of(other.split(".")) is None


def test_we_never_ask_ourselves() -> None:
    text = "# a\nnameserver 10.65.0.10\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver nobody\nnameserver\n"
    assert nameservers(text, OWN) == ["192.0.2.1", "fe80::1%eth0"]


def test_others_answers_are_kept_as_long_as_they_may_be() -> None:
    answer = dns.message.make_response(dns.message.make_query("a.example.", "A"))
    assert time_to_keep(answer) == 0, "nothing says how long"
    soa = "ns. box. 1 2 3 4 7"
    answer.authority.append(dns.rrset.from_text("example.", 300, "IN", "SOA", soa))
    assert time_to_keep(answer) == 7
    answer.answer.append(dns.rrset.from_text("a.example.", 20, "IN", "A", "192.0.2.1"))
    assert time_to_keep(answer) == 20
    answer.answer[0].ttl = 86400
    assert time_to_keep(answer) == 30
