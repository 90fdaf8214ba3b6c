"""Which records names have: the Kubernetes DNS specification 1.1.0, example by example."""

from __future__ import annotations

import pytest

from skerry.engine.network.dns.zone import EMPTY, NOTHING, Found, Zone
from skerry.kube.objects import Obj
from tests.unit.dns.objects import alias, endpoint, headless, piece, service, zone


def ask(zone: Zone, name: str, kind: str = "A") -> Found:
    return zone.find(name.split(".") if name else [], kind)


def values(found: Found) -> list[str]:
    return [record.value for record in found.records]


@pytest.fixture
def known() -> Zone:
    peers = piece(endpoint("10.64.0.5", "one", ready=True), endpoint("10.64.0.6", ready=True))
    return zone(service(), headless(), peers, alias("elsewhere", "example.org"))


def test_a_service_has_its_cluster_address(known: Zone) -> None:
    assert values(ask(known, "web.default.svc")) == ["10.65.0.20"]
    assert ask(known, "web.default.svc").records[0].name == "web.default.svc.cluster.local."


def test_other_kinds_at_a_name_are_empty_not_denied(known: Zone) -> None:
    assert ask(known, "web.default.svc", "AAAA") == EMPTY
    assert ask(known, "peers.default.svc", "MX") == EMPTY
    assert ask(known, "_http._tcp.web.default.svc", "A") == EMPTY


@pytest.mark.parametrize(
    "name",
    [
        "none.default.svc",
        "web.other.svc",
        "x.web.default.svc",
        "_http._udp.web.default.svc",
        "_none._tcp.web.default.svc",
        "_sctp.web.default.svc",
        "two.peers.default.svc",
        "a._http._tcp.web.default.svc",
        "below.elsewhere.default.svc",
        "nobody",
        "other.svc",
        "other.pod",
        "10-64-0-5.other.pod",
        "10-64-0-999.default.pod",
        "name.default.pod",
    ],
)
def test_names_that_do_not_exist(known: Zone, name: str) -> None:
    assert ask(known, name) == NOTHING


@pytest.mark.parametrize("name", ["svc", "pod", "dns", "default.svc", "default.pod", "_tcp.web.default.svc", ""])
def test_names_above_others_exist(known: Zone, name: str) -> None:
    assert ask(known, name) == EMPTY


def test_a_named_port_has_an_srv_record_with_the_service_as_target(known: Zone) -> None:
    found = ask(known, "_http._tcp.web.default.svc", "SRV")
    assert values(found) == ["0 100 80 web.default.svc.cluster.local."]
    assert [record.value for record in found.more] == ["10.65.0.20"]


def test_unnamed_ports_have_none() -> None:
    single = zone(service(ports=[{"port": 80, "protocol": "TCP"}]))
    assert ask(single, "web.default.svc", "SRV") == NOTHING
    assert ask(single, "_._tcp.web.default.svc", "SRV") == NOTHING


def test_a_service_asked_for_ports_tells_all_named_ones(known: Zone) -> None:
    assert len(ask(known, "web.default.svc", "SRV").records) == 2


def test_a_headless_service_has_the_addresses_of_its_ready_endpoints() -> None:
    unready = piece(endpoint("10.64.0.5"), endpoint("10.64.0.6", ready=False), endpoint("10.64.0.7", ready=True))
    assert values(ask(zone(headless(), unready), "peers.default.svc")) == ["10.64.0.5", "10.64.0.7"]


def test_an_endpoint_in_two_slices_is_one_record() -> None:
    twice = [piece(endpoint("10.64.0.5"), name=name) for name in ("a", "b")]
    assert values(ask(zone(headless(), *twice), "peers.default.svc")) == ["10.64.0.5"]


def test_without_ready_endpoints_a_headless_service_has_no_name() -> None:
    unready = zone(headless(), piece(endpoint("10.64.0.5", "one", ready=False)))
    assert ask(unready, "peers.default.svc") == NOTHING
    assert ask(unready, "one.peers.default.svc") == NOTHING


def test_endpoints_have_names_of_their_own(known: Zone) -> None:
    assert values(ask(known, "one.peers.default.svc")) == ["10.64.0.5"]
    assert values(ask(known, "10-64-0-6.peers.default.svc")) == ["10.64.0.6"]


def test_a_host_name_may_have_several_addresses() -> None:
    both = piece(endpoint("10.64.0.5", "one"), endpoint("10.64.0.6", "one"))
    assert values(ask(zone(headless(), both), "one.peers.default.svc")) == ["10.64.0.5", "10.64.0.6"]


def test_srv_records_of_a_headless_service_name_each_endpoint(known: Zone) -> None:
    found = ask(known, "_http._tcp.peers.default.svc", "SRV")
    assert values(found) == [
        "0 100 8080 one.peers.default.svc.cluster.local.",
        "0 100 8080 10-64-0-6.peers.default.svc.cluster.local.",
    ]
    assert {(record.name, record.value) for record in found.more} == {
        ("one.peers.default.svc.cluster.local.", "10.64.0.5"),
        ("10-64-0-6.peers.default.svc.cluster.local.", "10.64.0.6"),
    }


def test_endpoints_of_both_families_answer_questions_for_theirs() -> None:
    six = piece(endpoint("fd00::5"), addressType="IPv6")
    both = zone(headless(), six, piece(endpoint("10.64.0.5")))
    assert values(ask(both, "peers.default.svc", "AAAA")) == ["fd00::5"]
    assert values(ask(both, "peers.default.svc")) == ["10.64.0.5"]
    assert values(ask(both, "fd00--5.peers.default.svc", "AAAA")) == ["fd00::5"]
    assert ask(zone(headless(), six), "peers.default.svc") == EMPTY


def test_a_service_of_two_families_has_both_addresses() -> None:
    dual = service(clusterIP="10.65.0.7", clusterIPs=["10.65.0.7", "fd00::7"])
    assert values(ask(zone(dual), "web.default.svc", "AAAA")) == ["fd00::7"]
    assert values(ask(zone(dual), "web.default.svc")) == ["10.65.0.7"]
    assert values(zone(dual).find_address("fd00::7")) == ["web.default.svc.cluster.local."]


def test_endpoints_by_name_are_left_out() -> None:
    assert (
        ask(zone(headless(), piece(endpoint("peer.example.org"), addressType="FQDN")), "peers.default.svc") == NOTHING
    )


@pytest.mark.parametrize(
    ("name", "address"), [("fd00--5", "fd00::5"), ("1--", "1::"), ("2001-db8-0-0-0-0-0-1", "2001:db8::1")]
)
def test_pods_have_names_by_ipv6_address(known: Zone, name: str, address: str) -> None:
    assert values(ask(known, f"{name}.default.pod", "AAAA")) == [address]


@pytest.mark.parametrize("kind", ["A", "AAAA", "CNAME", "TXT"])
def test_an_external_name_is_an_alias_for_every_kind(known: Zone, kind: str) -> None:
    found = ask(known, "elsewhere.default.svc", kind)
    assert values(found) == ["example.org."]
    assert found.alias == "example.org."


def test_pods_have_names_by_address(known: Zone) -> None:
    assert values(ask(known, "10-64-0-5.default.pod")) == ["10.64.0.5"]


def test_the_domain_tells_its_version_and_its_server(known: Zone) -> None:
    assert values(ask(known, "dns-version", "TXT")) == ["1.1.0"]
    assert values(ask(known, "", "NS")) == ["ns.dns.cluster.local."]
    assert values(ask(known, "ns.dns")) == ["10.65.0.10"]


def test_addresses_lead_back_to_names(known: Zone) -> None:
    assert values(known.find_address("10.65.0.20")) == ["web.default.svc.cluster.local."]
    assert known.find_address("10.65.0.20").records[0].name == "20.0.65.10.in-addr.arpa."
    assert values(known.find_address("10.64.0.5")) == ["one.peers.default.svc.cluster.local."]


@pytest.mark.parametrize("address", ["10.65.0.99", "10.64.0.6"])
def test_addresses_without_a_name(known: Zone, address: str) -> None:
    assert known.find_address(address) == NOTHING


def test_an_endpoint_that_is_not_ready_has_no_reverse_name() -> None:
    unready = zone(headless(), piece(endpoint("10.64.0.5", "one", ready=False)))
    assert unready.find_address("10.64.0.5") == NOTHING


def _every_object() -> list[Obj]:
    return [service(), headless(), piece(endpoint("10.64.0.5", "one"))]


def test_looking_changes_nothing() -> None:
    objects, same = _every_object(), _every_object()
    for name in ("web.default.svc", "peers.default.svc", "_http._tcp.peers.default.svc"):
        for kind in ("A", "SRV"):
            ask(zone(*objects), name, kind)
    assert objects == same
