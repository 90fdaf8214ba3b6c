"""What must be forwarded where: from Services, EndpointSlices and Pods to `Forward`s. Pure.

Follows the Service semantics of kube-proxy: ready endpoints; if there is none, those still serving while they
terminate; headless services and external names have nothing to forward. A traffic policy `Local` leaves endpoints of
this node only: `internalTrafficPolicy` at cluster addresses, `externalTrafficPolicy` at node ports and external
addresses. A Service of type LoadBalancer is forwarded at the addresses in its status, as kube-proxy does; where that
is an address of the machine itself, its ports are forwarded there like node ports. Neighbours: `tables` renders the
result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network

from skerry.engine.network.family import IPV4, IPV6, is_of
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, namespace_of

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
_FOR_OTHERS = {"service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"}
"""Labels of services that somebody else forwards, or nobody (`pkg/proxy/config`)."""
_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
_POLICIES = ("internalTrafficPolicy", "externalTrafficPolicy")
_DEFAULT_AFFINITY_SECONDS = 10800
_SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_EVERYBODY = (("0.0.0.0/0",), ("::/0",))
_ANY_ADDRESS = {IPV4: ("", "0.0.0.0"), IPV6: ("", "::")}  # noqa: S104  # as hostIP spells "all addresses"


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    """Where one endpoint listens."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Forward:
    """One port of a service, or one host port of a pod."""

    name: str
    """Unique: "svc/namespace/name/port", "ext/..." (from outside), "lb/..." (balanced) or "pod/..."."""
    protocol: str
    """tcp, udp or sctp."""
    backends: tuple[Backend, ...]
    addresses: tuple[str, ...] = ()
    """The virtual or host addresses at which `port` is forwarded."""
    port: int = 0
    host_port: int = 0
    """The port forwarded on every address this instance exposes; 0 for none."""
    affinity_seconds: int = 0
    """sessionAffinity ClientIP: how long after a connection a client stays with its backend; 0 for not at all."""
    sources: tuple[str, ...] | None = None
    """Networks of the clients that are let in; None for everybody."""
    lent: tuple[str, ...] = ()
    """Those of its addresses that nobody but this Service answers at, since we gave them to it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where we forward: the node's name, addresses of the machine that a LoadBalancer may have been given, and the IP
    family, which is all that is looked at."""

    node: str
    own: frozenset[str] = frozenset()
    family: str = IPV4

    def has(self, address: str) -> bool:
        """Whether an address is of the family that is forwarded here."""
        return is_of(self.family, address)


class Forwarding:
    """What to forward at a place. Remembers what a service came to: objects are never changed in place, so the same
    objects come to the same, and a change among a thousand services costs one of them."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._known: dict[tuple[str, str], tuple[Obj, list[Obj], list[Forward]]] = {}

    def of(self, services: Iterable[Obj], slices: Iterable[Obj], pods: Iterable[Obj]) -> list[Forward]:
        """Everything to forward, in a stable order."""
        by_service: dict[tuple[str, str], list[Obj]] = defaultdict(list)
        for piece in slices:
            if piece.get("addressType") == self._place.family:
                by_service[namespace_of(piece), labels_of(piece).get(SERVICE_NAME_LABEL, "")].append(piece)
        known, self._known = self._known, {}
        found: list[Forward] = []
        for service in services:
            key = namespace_of(service), name_of(service)
            pieces = by_service.get(key, [])
            before = known.get(key)
            if before is None or before[0] is not service or not _same(before[1], pieces):
                before = service, pieces, list(_of_service(service, pieces, self._place))
            self._known[key] = before
            found += before[2]
        found += [forward for pod in pods for forward in _of_pod(pod, self._place)]
        return sorted(found, key=lambda forward: forward.name)


def _same(these: Sequence[Obj], those: Sequence[Obj]) -> bool:
    return len(these) == len(those) and all(one is other for one, other in zip(these, those, strict=True))


def _of_service(service: Obj, slices: Sequence[Obj], place: Place) -> Iterator[Forward]:
    spec = service.get("spec", {})
    addresses = tuple(one for one in cluster_ips(service) if place.has(one))
    if not addresses or spec.get("type") == "ExternalName" or labels_of(service).keys() & _FOR_OTHERS:
        return
    outside = tuple(one for one in spec.get("externalIPs") or () if place.has(one))
    for port in spec.get("ports") or ():
        inner, outer = (_backends(slices, port, place, local=_is_local(spec, which)) for which in _POLICIES)
        node_port = port.get("nodePort", 0)
        name, protocol = f"{namespace_of(service)}/{name_of(service)}", _PROTOCOLS[port.get("protocol", "TCP")]
        whole = Forward(
            name=f"svc/{name}/{protocol}-{port['port']}",
            protocol=protocol,
            backends=inner,
            addresses=addresses,
            port=port["port"],
            affinity_seconds=_affinity_seconds(spec),
        )
        yield from _balanced(service, port, replace(whole, backends=outer), place)
        if inner == outer:
            yield replace(whole, addresses=addresses + outside, host_port=node_port)
            continue
        yield whole
        if node_port or outside:
            outer_name = f"ext/{name}/{protocol}-{port['port']}"
            yield replace(whole, name=outer_name, backends=outer, addresses=outside, host_port=node_port)


def _balanced(service: Obj, port: Obj, whole: Forward, place: Place) -> Iterator[Forward]:
    """The same port at the addresses a load balancer gave, for the clients it is meant for."""
    given = [one for one in balanced_addresses(service, place) if _serves(one, port)]
    if not given:
        return
    addresses = tuple(one["ip"] for one in given if one["ip"] not in place.own)
    yield replace(
        whole,
        name=f"lb/{whole.name.removeprefix('svc/')}",
        addresses=addresses,
        host_port=port["port"] if len(addresses) < len(given) else 0,
        sources=_sources(service, place),
        lent=() if service["spec"].get("loadBalancerClass") else addresses,
    )


def balanced_addresses(service: Obj, place: Place) -> list[Obj]:
    """The entries of our family in a LoadBalancer's status whose packets come here with that address. With `ipMode:
    Proxy` packets come with the node's own (KEP-1860), and with a host name only nobody knows."""
    if service.get("spec", {}).get("type") != "LoadBalancer":
        return []
    listed = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [one for one in listed if place.has(one.get("ip") or "") and one.get("ipMode", "VIP") == "VIP"]


def _serves(given: Obj, port: Obj) -> bool:
    """Whether a port is served at an address: all are, unless its status lists some."""
    listed = given.get("ports")
    wanted = port["port"], port.get("protocol", "TCP")
    return not listed or any((one["port"], one["protocol"]) == wanted and not one.get("error") for one in listed)


def _sources(service: Obj, place: Place) -> tuple[str, ...] | None:
    """`loadBalancerSourceRanges`, or the older annotation, without overlaps. Ranges of the other family let in
    nobody who comes to an address of this one."""
    ranges = service["spec"].get("loadBalancerSourceRanges") or ()
    ranges = ranges or [one for one in annotations_of(service).get(_SOURCE_RANGES, "").split(",") if one.strip()]
    networks = [network for one in ranges if (network := _network(one.strip(), place)) is not None]
    found = tuple(str(one) for one in collapse_addresses(networks))  # type: ignore[type-var]  # all of one family
    return None if not ranges or found in _EVERYBODY else found


def _network(text: str, place: Place) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False) if place.has(text.partition("/")[0]) else None
    except ValueError:
        return None


def _is_local(spec: Obj, policy: str) -> bool:
    return spec.get(policy) == "Local"


def _affinity_seconds(spec: Obj) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or _DEFAULT_AFFINITY_SECONDS)


def cluster_ips(service: Obj) -> Sequence[str]:
    """The virtual addresses of a Service; ["None"] for a headless one."""
    spec = service.get("spec", {})
    return spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])


def serving_endpoints(slices: Sequence[Obj], service_port: Mapping[str, object]) -> tuple[Backend, ...]:
    """Where a port of a Service leads, on any node, for whoever dials endpoints itself: in the first family that has
    any."""
    found: tuple[Backend, ...] = ()
    for family in (IPV4, IPV6):
        pieces = [piece for piece in slices if piece.get("addressType") == family]
        found = found or _backends(pieces, service_port, Place("", family=family), local=False)
    return found


def _backends(
    slices: Sequence[Obj], service_port: Mapping[str, object], place: Place, *, local: bool
) -> tuple[Backend, ...]:
    """Where the port of a service leads; `local`: to endpoints of this node only."""
    ready: set[Backend] = set()
    draining: set[Backend] = set()
    for piece in slices:
        number = _slice_port(piece, service_port)
        for endpoint in piece.get("endpoints") or () if number else ():
            if local and endpoint.get("nodeName") != place.node:
                continue
            conditions = endpoint.get("conditions") or {}
            where = {Backend(address, number) for address in endpoint.get("addresses") or () if place.has(address)}
            if conditions.get("ready", True):
                ready |= where
            elif conditions.get("serving") and conditions.get("terminating"):
                draining |= where
    return tuple(sorted(ready or draining))


def _slice_port(piece: Obj, service_port: Mapping[str, object]) -> int:
    """The number this slice has for a port of the service (they are matched by name), 0 if it has none."""
    wanted = (service_port.get("name") or "", service_port.get("protocol", "TCP"))
    for port in piece.get("ports") or ():
        if (port.get("name") or "", port.get("protocol", "TCP")) == wanted:
            return int(port.get("port") or 0)
    return 0


def is_reached_by_loopback(forward: Forward) -> bool:
    """Whether a loopback address of the machine may lead to it."""
    return bool(forward.host_port) or any(ip_address(address).is_loopback for address in forward.addresses)


def has_host_ports(pod: Obj) -> bool:
    """Whether a change of this pod can matter to us."""
    return any(True for _ in _host_ports(pod))


def _of_pod(pod: Obj, place: Place) -> Iterator[Forward]:
    status = pod.get("status", {})
    addresses = [one.get("ip", "") for one in status.get("podIPs") or ()] or [status.get("podIP") or ""]
    address = next(filter(place.has, addresses), "")
    if status.get("phase") in ("Succeeded", "Failed") or not address:
        return
    anywhere = _ANY_ADDRESS[place.family]
    for port in _host_ports(pod):
        protocol, number, host_ip = _PROTOCOLS[port.get("protocol", "TCP")], port["hostPort"], port.get("hostIP", "")
        if host_ip not in anywhere and not place.has(host_ip):
            continue
        everywhere = host_ip in anywhere
        yield Forward(
            name=f"pod/{namespace_of(pod)}/{name_of(pod)}/{protocol}-{number}{'' if everywhere else '-' + host_ip}",
            protocol=protocol,
            backends=(Backend(address, port["containerPort"]),),
            addresses=() if everywhere else (host_ip,),
            port=0 if everywhere else number,
            host_port=number if everywhere else 0,
        )


def _host_ports(pod: Obj) -> Iterator[Obj]:
    spec = pod.get("spec", {})
    if spec.get("hostNetwork"):
        return
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        yield from (port for port in container.get("ports") or () if port.get("hostPort"))
