"""Where the requests for a Service go: its endpoints, from EndpointSlices. Pure.

As in `network.services`: ready endpoints, or, when there is none, those that still serve while they terminate. A
Service of type ExternalName leads to that name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from skerry.engine.network.ingress.rules import Target
from skerry.engine.network.services import cluster_ips, serving_endpoints
from skerry.kube.authority import host_and_port
from skerry.kube.objects import Obj

ServiceOf = Callable[[str, str], Obj | None]
"""A Service by namespace and name."""
SlicesOf = Callable[[str, str], Sequence[Obj]]
"""The EndpointSlices of a Service."""


@dataclass(frozen=True, slots=True)
class Backend:
    """Where to dial."""

    dials: tuple[str, ...] = ()
    """"address:port" of each endpoint."""
    service_dial: str = ""
    """The Service's own address, "" without one: it leads to an endpoint even when what is known here is old."""
    trouble: str = ""
    """Why there is nowhere to go: for an event."""


def backend(target: Target, service_of: ServiceOf, slices_of: SlicesOf) -> Backend:
    """Where requests for a target go now."""
    service = service_of(target.namespace, target.service)
    if service is None:
        return Backend(trouble=f"there is no Service {target.namespace}/{target.service}")
    spec = service.get("spec", {})
    port = _port(spec, target.port)
    if spec.get("type") == "ExternalName":
        number, name = port["port"] if port else target.port, str(spec.get("externalName", ""))
        if _is_local(name):
            return Backend(
                trouble=f"Service {target.namespace}/{target.service}: {name} is refused, it is this machine"
            )
        return Backend((f"{name}:{number or 80}",))
    if port is None:
        return Backend(trouble=f"Service {target.namespace}/{target.service} has no port {target.port}")
    found = serving_endpoints(slices_of(target.namespace, target.service), port)
    addresses = [one for one in cluster_ips(service) if one != "None"]
    service_dial = host_and_port(addresses[0], port["port"]) if addresses else ""
    return Backend(tuple(host_and_port(one.address, one.port) for one in found), service_dial)


def _is_local(name: str) -> bool:
    """Caddy is in the machine's network: what listens there for the machine only, and the metadata of clouds, is not
    for whoever may make a Service."""
    try:
        address = ip_address(name)
    except ValueError:
        return f".{name.lower().rstrip('.')}".endswith((".localhost", ".localdomain"))
    return address.is_loopback or address.is_link_local or address.is_unspecified


def _port(spec: Obj, wanted: int | str) -> Obj | None:
    for port in spec.get("ports") or ():
        if wanted in (port.get("port"), port.get("name")):
            return dict(port)
    return None
