"""What must hold between the fields of a FrontDoor; each by itself is right already.

Neighbour: `reading`. Pure: gives mistakes, each with its path.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from skerry.cli.front_door.resource import HEALTH_PORT, Cluster, FrontDoor, Route, Server, VirtualAddress, Web

MOST_BALANCERS = 20
"""Priorities of VRRP are below 255, and each balancer's is two below the one before."""


def mistakes_between(door: FrontDoor) -> list[str]:
    """Everything that does not fit together."""
    return [
        *_repeated("spec.balancers", [one.name for one in door.balancers], ".name"),
        *_repeated("spec.balancers", [one.address for one in door.balancers], ".address"),
        *_repeated("spec.clusters", [one.name for one in door.clusters], ".name"),
        *_balancers(door),
        *_virtual(door.virtual),
        *(_web(door, door.web) if door.web else ()),
        *(mistake for index, one in enumerate(door.clusters) for mistake in _cluster(one, f"spec.clusters[{index}]")),
        *_ports(door),
    ]


def _repeated(path: str, values: Iterable[str], field: str = "") -> Iterator[str]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield f'{path}[{index}]{field}: Duplicate value: "{value}"'
        seen.add(value)


def _balancers(door: FrontDoor) -> Iterator[str]:
    if not door.balancers:
        yield "spec.balancers: Required value: at least one machine"
    if len(door.balancers) > MOST_BALANCERS:
        yield f"spec.balancers: Too many: {len(door.balancers)}: must have at most {MOST_BALANCERS} items"
    if door.virtual:
        for index, one in enumerate(door.balancers):
            if not _is_address(one.address):
                yield f'spec.balancers[{index}].address: Invalid value: "{one.address}": VRRP needs an IPv4 address'


def _virtual(virtual: VirtualAddress | None) -> Iterator[str]:
    if virtual is None:
        return
    versions = []
    for index, address in enumerate(virtual.addresses):
        try:
            versions.append(ipaddress.ip_interface(address).version)
        except ValueError as error:
            yield f'spec.virtualAddress.addresses[{index}]: Invalid value: "{address}": {error}'
    if versions.count(4) == 0:
        yield "spec.virtualAddress.addresses: Required value: at least one IPv4 address; IPv6 ones go with it"
    yield from _repeated("spec.virtualAddress.addresses", virtual.addresses)


def _web(door: FrontDoor, web: Web) -> Iterator[str]:
    if not web.routes:
        yield "spec.web.routes: Required value"
    yield from _repeated("spec.web.routes", [route.name for route in web.routes], ".name")
    taken: dict[str, str] = {}
    for index, route in enumerate(web.routes):
        path = f"spec.web.routes[{index}]"
        yield from _route(route, path, [one.name for one in door.clusters if one.ingress])
        for host in route.hosts:
            if host in taken:
                yield f'{path}.hosts: Duplicate value: "{host}" belongs to route {taken[host]}'
            taken.setdefault(host, route.name)


def _route(route: Route, path: str, clusters: list[str]) -> Iterator[str]:
    if not route.hosts:
        yield f"{path}.hosts: Required value: names, or * for all"
    if not route.active:
        yield f"{path}.active: Required value: the clusters that serve first"
    for field, names in (("active", route.active), ("backup", route.backup)):
        for index, name in enumerate(names):
            if name not in clusters:
                yield f'{path}.{field}[{index}]: Not found: "{name}": no cluster of that name has an ingress'
    yield from _repeated(f"{path}.active", route.active)
    yield from _repeated(f"{path}.backup", route.backup)
    for name in set(route.active).intersection(route.backup):
        yield f'{path}.backup: Invalid value: "{name}": is among the active ones'


def _cluster(cluster: Cluster, path: str) -> Iterator[str]:
    if cluster.ingress is None and cluster.api is None:
        yield f"{path}: needs an ingress or an api"
    if cluster.ingress:
        yield from _servers(cluster.ingress.servers, f"{path}.ingress")
    if cluster.api:
        yield from _servers(cluster.api.servers, f"{path}.api")


def _servers(servers: tuple[Server, ...], path: str) -> Iterator[str]:
    if not servers:
        yield f"{path}.servers: Required value: at least one"
    yield from _repeated(f"{path}.servers", [one.name for one in servers], ".name")


def _ports(door: FrontDoor) -> Iterator[str]:
    """Every port of the balancers is listened on once."""
    wanted = [(cluster.api.listen, f"the API of cluster {cluster.name}") for cluster in door.clusters if cluster.api]
    if door.web:
        wanted.append((door.web.http_port, "spec.web.httpPort"))
    if door.web and door.web.certificates:
        wanted.append((door.web.https_port, "spec.web.httpsPort"))
    if not wanted:
        yield "spec: needs web, or a cluster with an api: there is nothing to balance"
    taken = {HEALTH_PORT: "the balancer's own health check"}
    for port, who in wanted:
        if port in taken:
            yield f"{who}: Invalid value: {port}: the port is taken by {taken[port]}"
        taken.setdefault(port, who)


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False
