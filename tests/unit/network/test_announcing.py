"""Which addresses are announced where, and the frames that say so."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from skerry.engine.address_pools.pools import pools_of
from skerry.engine.network.announcing import ndp
from skerry.engine.network.announcing.arp import declarations, question, sender_of
from skerry.engine.network.announcing.wanted import Announcement, Interface, Place, Wanted, wanted
from skerry.kube.objects import Obj
from tests.unit.address_pools.test_pools import pool

ETH0 = Interface("eth0", "02:00:00:00:00:01", {"198.51.100.1": IPv4Network("198.51.100.0/24")})
ETH1 = Interface("eth1", "02:00:00:00:00:02")
LOOPBACK = Interface("lo", "", {"127.0.0.1": IPv4Network("127.0.0.0/8")})
PLACE = Place((LOOPBACK, ETH0, ETH1), {"zone": "a"})


def service(address: str, **spec: Any) -> Obj:
    status = {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
    return {"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", **spec}, "status": status}


def advertisement(namespace: str = "metallb-system", **spec: Any) -> Obj:
    return {"metadata": {"name": "local", "namespace": namespace}, "spec": spec}


def decide(*advertisements: Obj, address: str = "198.51.100.9", labels: dict[str, str] | None = None) -> Wanted:
    declared = pool("public", "198.51.100.0/24", "203.0.113.0/24")
    declared["metadata"]["labels"] = labels or {}
    return wanted([service(address)], pools_of([declared], ()), advertisements, PLACE)


def where(*advertisements: Obj, **more: Any) -> list[str]:
    return sorted(one.interface for one in decide(*advertisements, **more).announced)


def why_not(*advertisements: Obj, **more: Any) -> str:
    found = decide(*advertisements, **more)
    assert not found.announced
    ((_, problem),) = found.unannounced
    return problem


def test_without_interfaces_it_is_the_one_in_whose_network_the_address_is() -> None:
    found = decide(advertisement())
    assert list(found.announced) == [Announcement("198.51.100.9", "eth0")]
    assert (found.routed, found.unannounced) == ({"198.51.100.9"}, [])
    assert "in the network of no interface" in why_not(advertisement(), address="203.0.113.9")


def test_named_interfaces_whatever_their_network() -> None:
    assert where(advertisement(interfaces=["eth1"]), address="203.0.113.9") == ["eth1"]
    assert where(advertisement(interfaces=["eth1"]), advertisement()) == ["eth0", "eth1"]
    assert "no network interface eth9 or lo that speaks ARP" in why_not(advertisement(interfaces=["eth9", "lo"]))
    assert where(advertisement(interfaces=["eth9", "eth0"])) == ["eth0"]


def test_an_advertisement_is_for_pools_by_name_by_label_or_for_all() -> None:
    assert where(advertisement(ipAddressPools=["public"])) == ["eth0"]
    assert "no L2Advertisement covers the pool public" in why_not(advertisement(ipAddressPools=["other"]))
    selector = {"matchLabels": {"tier": "gold"}}
    assert where(advertisement(ipAddressPoolSelectors=[selector]), labels={"tier": "gold"}) == ["eth0"]
    assert "no L2Advertisement" in why_not(advertisement(ipAddressPoolSelectors=[selector]))
    assert "no L2Advertisement" in why_not(advertisement(namespace="elsewhere"))
    assert "no L2Advertisement" in why_not()


def test_an_advertisement_may_be_for_other_nodes() -> None:
    assert where(advertisement(nodeSelectors=[{"matchLabels": {"zone": "a"}}])) == ["eth0"]
    assert "no L2Advertisement" in why_not(advertisement(nodeSelectors=[{"matchLabels": {"zone": "b"}}]))


def test_addresses_of_others_are_not_announced() -> None:
    pools = pools_of([pool("public", "198.51.100.0/24")], ())
    theirs = [service("198.51.100.9", loadBalancerClass="example.com/x"), service("192.0.2.2")]
    assert wanted(theirs, pools, [advertisement()], PLACE) == Wanted()


def test_addresses_of_both_families_are_announced_where_their_networks_are() -> None:
    four, six = "198.51.100.9", "2001:db8::9"
    here = replace(ETH0, addresses={**ETH0.addresses, "2001:db8::1": IPv6Network("2001:db8::/64")})
    pools = pools_of([pool("public", "198.51.100.0/24", "2001:db8::/64")], ())
    dual = service(four)
    dual["status"]["loadBalancer"]["ingress"].append({"ip": six, "ipMode": "VIP"})
    found = wanted([dual], pools, [advertisement()], replace(PLACE, interfaces=(LOOPBACK, here, ETH1)))
    assert found.announced.keys() == {Announcement(four, "eth0"), Announcement(six, "eth0")}
    found = wanted([dual], pools, [advertisement()], PLACE)
    assert found.announced.keys() == {Announcement(four, "eth0")}
    ((_, problem),) = found.unannounced
    assert problem.startswith(f"{six} is not announced: it is in the network of no interface")


def test_messages_of_ndp_say_who_has_what() -> None:
    hardware = bytes.fromhex("020000000001")
    asked = ndp.question(hardware, "2001:db8::1:2:3")
    assert (len(asked), asked[0], asked[24:]) == (32, 135, b"\1\1" + hardware)
    assert ndp.group_of("2001:db8::1:2:3") == "ff02::1:ff02:3"
    said = ndp.declaration(hardware, "2001:db8::9")
    assert ndp.answer_of(said) == ("2001:db8::9", "02:00:00:00:00:01")
    assert said[4] == 0x20, "override, not solicited, no router"
    assert ndp.answer_of(said[:24]) == ("2001:db8::9", "")
    assert ndp.answer_of(said[:24] + b"\x0e\1nonce!" + said[24:]) == ("2001:db8::9", "02:00:00:00:00:01")
    assert ndp.answer_of(said[:24] + b"\2\0nothin") == ("2001:db8::9", "")
    assert ndp.answer_of(asked) is ndp.answer_of(said[:23]) is None


def test_frames_say_who_has_what() -> None:
    hardware = bytes.fromhex("020000000001")
    asked = question(hardware, "198.51.100.1", "198.51.100.9")
    assert (len(asked), asked[:6], asked[20:22]) == (42, b"\xff" * 6, b"\0\1")
    assert sender_of(asked) == ("198.51.100.1", "02:00:00:00:00:01")
    request, reply = declarations(hardware, "198.51.100.9")
    assert sender_of(request) == sender_of(reply + b"\0" * 18) == ("198.51.100.9", "02:00:00:00:00:01")
    assert sender_of(asked[:41]) is None
    assert sender_of(asked[:12] + b"\x08\x00" + asked[14:]) is None
