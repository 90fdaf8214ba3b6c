"""What one Service wants of a load balancer, and what is granted to it. Pure; shared by `node_address` and the pools.

Source: the Service API (`spec.loadBalancerIP`, `spec.loadBalancerClass`, `status.loadBalancer`) and MetalLB's
annotations, under today's prefix and the former one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from skerry.engine.address_pools.ranges import IPV4, family_of, number
from skerry.kube.objects import Obj, annotations_of, key_of, name_of, namespace_of, uid_of

_PREFIXES = ("metallb.io/", "metallb.universe.tf/")


class Port(NamedTuple):
    """A port of a Service."""

    protocol: str
    """TCP, UDP or SCTP."""
    number: int

    def __str__(self) -> str:
        """As kubectl prints it."""
        return f"{self.number}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Request:
    """A Service that wants an address from us."""

    service: Obj
    ports: tuple[Port, ...]
    held: tuple[str, ...]
    """The addresses its status has."""
    held_ports: frozenset[Port]
    """The ports its status lists."""
    asked: tuple[str, ...] = ()
    """Addresses it names."""
    pool: str = ""
    """The pool it names."""
    sharing_key: str = ""
    backends: object = None
    """Equal for Services whose packets may be told apart by port only, because all go to the same pods."""
    complaint: str = ""
    """What is wrong with its wishes."""
    families: tuple[str, ...] = (IPV4,)
    """Of which it wants an address each: its IP families, the first first; only those of addresses it names."""
    needs_all: bool = False
    """Whether an address of one family only is not enough (`ipFamilyPolicy: RequireDualStack`)."""

    @property
    def key(self) -> str:
        """namespace/name."""
        return key_of(self.service)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a Service gets; `problem` says why it is less than it wants."""

    addresses: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    """The ports that are served there; () for all."""
    problem: str = ""

    def as_status(self) -> Obj:
        """`status.loadBalancer`."""
        ports = [{"port": port.number, "protocol": port.protocol} for port in self.ports]
        more: Obj = {"ports": ports} if ports else {}
        found = [{"ip": address, "ipMode": "VIP", **more} for address in self.addresses]
        return {"ingress": found} if found else {}


def requests_of(services: Iterable[Obj]) -> list[Request]:
    """Those Services that want an address from us, the eldest first."""
    wanting = [_request(one) for one in services if wants_address(one)]
    return sorted(wanting, key=lambda one: seniority(one.service))


def wants_address(service: Obj) -> bool:
    """Whether it is a Service for us: one with a class is for whoever goes by that class."""
    spec = service.get("spec") or {}
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")


def shows_address(service: Obj) -> bool:
    """Whether its status has an address."""
    return bool(((service.get("status") or {}).get("loadBalancer") or {}).get("ingress"))


def seniority(obj: Obj) -> tuple[str, str, str, str]:
    """First come, first served; within a second by name."""
    return obj["metadata"].get("creationTimestamp") or "", namespace_of(obj), name_of(obj), uid_of(obj)


def _request(service: Obj) -> Request:
    spec = service["spec"]
    listed = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    asked, complaint = _asked(service)
    families = tuple(spec.get("ipFamilies") or (IPV4,))
    return Request(
        service=service,
        ports=tuple(_ports(spec.get("ports") or ())),
        held=tuple(one["ip"] for one in listed if one.get("ip")),
        held_ports=frozenset(port for one in listed for port in _ports(one.get("ports") or ())),
        asked=asked,
        pool=_annotation(service, "address-pool"),
        sharing_key=_annotation(service, "allow-shared-ip"),
        backends=_backends(spec),
        complaint=complaint,
        families=tuple(one for one in families if not asked or one in map(family_of, asked)),
        needs_all=spec.get("ipFamilyPolicy") == "RequireDualStack",
    )


def _ports(listed: Iterable[Obj]) -> Iterator[Port]:
    for port in listed:
        yield Port(port.get("protocol") or "TCP", int(port["port"]))


def _asked(service: Obj) -> tuple[tuple[str, ...], str]:
    """The addresses it names, and what is wrong with that."""
    field, listed = service["spec"].get("loadBalancerIP") or "", _annotation(service, "loadBalancerIPs")
    if field and listed:
        return (), "spec.loadBalancerIP and the annotation metallb.io/loadBalancerIPs are both set"
    asked = tuple(one.strip() for one in (field or listed).split(",") if one.strip())
    return asked, _too_much(asked, service["spec"])


def _too_much(asked: Sequence[str], spec: Obj) -> str:
    """Why a Service cannot have these addresses together, whoever has them; "" if it can."""
    families = spec.get("ipFamilies") or (IPV4,)
    named = [family_of(one) if number(one) is not None else "" for one in asked]
    if len(set(named)) < len(named) or not set(named) <= set(families):
        kinds = " and ".join(f"one {family} address" for family in families)
        return f"{', '.join(asked)}: {kinds} can be asked for"
    missing = [family for family in families if asked and family not in named]
    if missing and spec.get("ipFamilyPolicy") == "RequireDualStack":
        return f"{', '.join(asked)}: with RequireDualStack an {missing[0]} address must be asked for as well"
    return ""


def _annotation(service: Obj, name: str) -> str:
    annotations = annotations_of(service)
    return next((annotations[prefix + name] for prefix in _PREFIXES if annotations.get(prefix + name)), "")


def _backends(spec: Obj) -> object:
    """With `externalTrafficPolicy: Local` two Services may share an address only if they lead to the same pods."""
    if spec.get("externalTrafficPolicy") != "Local":
        return None
    return tuple(sorted((spec.get("selector") or {}).items()))
