"""Which address is announced on which interface, by the L2Advertisements; and why one is not. Pure.

An advertisement without interfaces means the interface whose network the address is in: where else would anybody ask
for it? Source: MetalLB's L2Advertisement (`nodeSelectors`, `ipAddressPools`, `ipAddressPoolSelectors`, `interfaces`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import NamedTuple

from skerry.engine.address_pools.pools import Pool
from skerry.engine.address_pools.ranges import IPV4, IPV6, number
from skerry.engine.network import services as forwarding
from skerry.kube.objects import Obj, labels_of, name_of, namespace_of
from skerry.kube.selectors import SelectorError, selector_of


class Announcement(NamedTuple):
    """An address that is answered for on an interface."""

    address: str
    interface: str


@dataclass(frozen=True, slots=True)
class Interface:
    """One of the machine's."""

    name: str
    hardware: str
    """Its hardware address, "" if ARP is not spoken there (loopback, tunnels)."""
    addresses: Mapping[str, IPv4Network | IPv6Network] = field(default_factory=dict)
    """Its own addresses and the networks they are in."""


@dataclass(frozen=True, slots=True)
class Place:
    """The machine."""

    interfaces: Sequence[Interface]
    labels: Mapping[str, str]
    """Of its node."""


@dataclass(slots=True)
class Wanted:
    """What should be."""

    routed: set[str] = field(default_factory=set)
    """Addresses of pools that Services have."""
    announced: dict[Announcement, list[Obj]] = field(default_factory=dict)
    """With the Services that have them."""
    unannounced: list[tuple[Obj, str]] = field(default_factory=list)
    """Services with an address nobody will find, and why."""


def wanted(services: Iterable[Obj], pools: Sequence[Pool], advertisements: Sequence[Obj], place: Place) -> Wanted:
    """Everything about the addresses that our pools gave to these Services."""
    found = Wanted()
    for service in services:
        for address in _lent(service):
            pool = next((one for one in pools if one.has(number(address) or 0)), None)
            if pool is None:
                continue
            found.routed.add(address)
            interfaces, problem = _interfaces(address, pool, advertisements, place)
            for interface in interfaces:
                found.announced.setdefault(Announcement(address, interface), []).append(service)
            if problem:
                found.unannounced.append((service, f"{address} is not announced: {problem}"))
    return found


def _lent(service: Obj) -> list[str]:
    if (service.get("spec") or {}).get("loadBalancerClass"):
        return []
    places = [forwarding.Place("", family=family) for family in (IPV4, IPV6)]
    return [one["ip"] for place in places for one in forwarding.balanced_addresses(service, place)]


def _interfaces(address: str, pool: Pool, advertisements: Sequence[Obj], place: Place) -> tuple[Sequence[str], str]:
    """The names of the interfaces on which the address is announced, or why it is on none."""
    ours = [one for one in advertisements if _covers(one, pool, place.labels)]
    if not ours:
        return (), f"no L2Advertisement covers the pool {pool.name}"
    speaking = {one.name: one for one in place.interfaces if one.hardware}
    chosen: set[str] = set()
    unknown: set[str] = set()
    for advertisement in ours:
        names = advertisement["spec"].get("interfaces") if advertisement.get("spec") else None
        chosen |= set(names) & speaking.keys() if names else set(_neighbours(address, speaking.values()))
        unknown |= set(names or ()) - speaking.keys()
    if chosen:
        return sorted(chosen), ""
    if unknown:
        return (), f"this machine has no network interface {' or '.join(sorted(unknown))} that speaks ARP"
    return (), "it is in the network of no interface; name one in the L2Advertisement"


def _neighbours(address: str, interfaces: Iterable[Interface]) -> list[str]:
    asked = ip_address(address)
    return [one.name for one in interfaces if any(asked in network for network in one.addresses.values())]


def _covers(advertisement: Obj, pool: Pool, node_labels: Mapping[str, str]) -> bool:
    """Whether an advertisement is about a pool, and about this node. One that cannot be read is about nothing."""
    spec = advertisement.get("spec") or {}
    if namespace_of(advertisement) != namespace_of(pool.obj):
        return False
    names, selectors = spec.get("ipAddressPools") or [], spec.get("ipAddressPoolSelectors") or []
    try:
        about_pool = not (names or selectors) or name_of(pool.obj) in names or _any(selectors, labels_of(pool.obj))
        nodes = spec.get("nodeSelectors") or []
        return about_pool and (not nodes or _any(nodes, node_labels))
    except SelectorError:
        return False


def _any(selectors: Sequence[Obj], labels: Mapping[str, str]) -> bool:
    return any(selector_of(one).matches(labels) for one in selectors)
