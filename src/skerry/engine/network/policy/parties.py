"""Who policies speak of: the pods with an address of their own, and what the engine itself serves to pods. Pure.

Pods in the machine's network have the machine's address: nothing selects them, and they are met by `ipBlock` only, as
in Kubernetes. What the engine listens for on the pods' gateway address (cluster DNS, the Ingress) is a pod in other
clusters: a policy sees it as pods with the namespace, the labels and the ports of its Service in `kube-system`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from skerry.engine.network.services import SERVICE_NAME_LABEL
from skerry.kube.objects import Obj, labels_of, namespace_of

SYSTEM = "kube-system"


class Group(NamedTuple):
    """All that selectors look at; pods of one workload are mostly of one group."""

    namespace: str
    labels: tuple[tuple[str, str], ...]


class NamedPort(NamedTuple):
    """A container's port that has a name. protocol: tcp, udp or sctp."""

    protocol: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Party:
    """A pod with its addresses, at most one of each family."""

    addresses: tuple[str, ...]
    group: Group
    ports: tuple[NamedPort, ...] = ()


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of the engine's own, at `address` and `port`; a policy sees the Service's `shown` port."""

    address: str
    protocol: str
    port: int
    shown: int
    name: str
    group: Group


def group_of(obj: Obj) -> Group:
    """By namespace and labels."""
    return Group(namespace_of(obj), tuple(sorted(labels_of(obj).items())))


def party_of(pod: Obj, addresses: tuple[str, ...]) -> Party:
    """The pod at these addresses."""
    return Party(addresses, group_of(pod), tuple(sorted(set(_named_ports(pod)))))


def listeners_at(gateways: Sequence[str], services: Mapping[str, Obj], slices: Iterable[Obj]) -> list[Listener]:
    """What Services of `kube-system` (by name) lead to at the gateway addresses."""
    found: list[Listener] = []
    for piece in slices:
        service = services.get(labels_of(piece).get(SERVICE_NAME_LABEL, ""))
        led_to = {address for endpoint in piece.get("endpoints") or () for address in endpoint.get("addresses") or ()}
        for gateway in gateways:
            if service is not None and gateway in led_to and namespace_of(piece) == SYSTEM:
                found += _listeners(gateway, service, piece)
    return sorted(found, key=lambda one: (one.address, one.port, one.protocol))


def _listeners(gateway: str, service: Obj, piece: Obj) -> Iterator[Listener]:
    shown = {port.get("name") or "": port["port"] for port in (service.get("spec") or {}).get("ports") or ()}
    for port in piece.get("ports") or ():
        name = port.get("name") or ""
        if name in shown and port.get("port"):
            protocol = port.get("protocol", "TCP").lower()
            yield Listener(gateway, protocol, port["port"], shown[name], name, group_of(service))


def _named_ports(pod: Obj) -> Iterator[NamedPort]:
    spec = pod.get("spec") or {}
    sidecars = (one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always")
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            if port.get("name"):
                yield NamedPort(port.get("protocol", "TCP").lower(), port["name"], port["containerPort"])
