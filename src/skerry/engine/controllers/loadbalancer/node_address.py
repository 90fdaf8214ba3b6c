"""Who has which port of the node's own addresses, where no pool serves everybody: what k3s' servicelb does. Pure.

A Service gets the address when all its ports are free; what it was granted, as its status lists it, stays its own
while it wants it. Whoever waits gets its turn in order of age. A Service that holds the address and asks for one more
port that is taken keeps what it has. A port is one Service's in both IP families.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from skerry.engine.address_pools.ranges import family_of
from skerry.engine.controllers.loadbalancer.requests import Grant, Port, Request
from skerry.kube.objects import Obj, key_of, labels_of, namespace_of

_MANAGED_BY, _SERVICE = "endpointslice.kubernetes.io/managed-by", "kubernetes.io/service-name"
_BY_SELECTOR = "endpointslice-controller.k8s.io"
"""Made it from pods."""
Taken = Callable[[str, Port], str]
"""Says to a Service (by key) who else has a port: "a program of this machine"; "" for nobody."""


class Holder(NamedTuple):
    """Who has a port of the node."""

    key: str
    what: str


def grants(requests: Iterable[Request], node: Sequence[str], taken: Taken) -> dict[str, Grant]:
    """What each gets, by key. `requests` are in order of seniority; `node`: the node's addresses, one of each family;
    `taken` is asked only about ports that are new."""
    wanting = list(requests)
    owners: dict[Port, str] = {}
    for one in wanting:
        for port in _kept(one, node):
            owners.setdefault(port, one.key)
    return {one.key: _grant(one, _of_its_families(one, node), owners, taken) for one in wanting}


def _of_its_families(one: Request, node: Sequence[str]) -> tuple[str, ...]:
    by_family = {family_of(address): address for address in node}
    return tuple(by_family[family] for family in one.families if family in by_family)


def _grant(one: Request, addresses: tuple[str, ...], owners: dict[Port, str], taken: Taken) -> Grant:
    if one.complaint:
        return Grant(problem=one.complaint)
    if not addresses or (one.needs_all and len(addresses) < len(one.families)):
        missing = set(one.families) - {family_of(address) for address in addresses}
        return Grant(problem=f"the node has no {' and no '.join(sorted(missing))} address")
    kept = [port for port in one.ports if owners.get(port) == one.key]
    for port in one.ports:
        if port in kept:
            continue
        holder = f"Service {owners[port]}" if port in owners else taken(one.key, port)
        if holder:
            problem = f"port {port} of the node's address {addresses[0]} is taken by {holder}"
            return Grant(addresses if kept else (), tuple(kept), problem)
    owners.update((port, one.key) for port in one.ports)
    return Grant(addresses, one.ports)


def _kept(one: Request, node: Sequence[str]) -> list[Port]:
    if not set(node) & set(one.held) or one.complaint:
        return []
    return [port for port in one.ports if port in one.held_ports]


def taken_by_machine(slices: Iterable[Obj], node: Sequence[str]) -> Mapping[Port, Holder]:
    """Ports at which Services lead to a program of this machine (the API, the platform), whether it listens just now or
    is about to be started: nobody may take its place meanwhile. `node`: the node's addresses."""
    found: dict[Port, Holder] = {}
    for one in slices:
        labels = labels_of(one)
        led_to = {address for endpoint in one.get("endpoints") or () for address in endpoint["addresses"]}
        led_here = not led_to.isdisjoint(node)
        if led_here and labels.get(_MANAGED_BY) != _BY_SELECTOR:
            what = f"what Service {namespace_of(one)}/{labels.get(_SERVICE, '')} leads to"
            for port in one.get("ports") or ():
                found[Port(port.get("protocol") or "TCP", port.get("port") or 0)] = Holder("", what)
    return found


def taken_by_cluster(services: Iterable[Obj], host_ports: Iterable[tuple[str, Port]]) -> Mapping[Port, Holder]:
    """Ports of the node that Services and pods of the cluster have. `host_ports`: a pod's key and its port."""
    found: dict[Port, Holder] = {}
    for service in services:
        key = key_of(service)
        for port in service["spec"].get("ports") or ():
            if port.get("nodePort"):
                found[Port(port.get("protocol") or "TCP", port["nodePort"])] = Holder(key, f"a node port of {key}")
    found.update((port, Holder(f"pod {pod}", f"a host port of pod {pod}")) for pod, port in host_ports)
    return found
