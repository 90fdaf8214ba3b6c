"""Where a proxied request goes: `name`, `name:port` or `scheme:name:port` of a pod or service to an address. Pure.

Source: `utilnet.SplitSchemeNamePort`; `ResourceLocation` in `pkg/registry/core/pod/strategy.go` and
`pkg/registry/core/service/storage`.
"""

from __future__ import annotations

import ipaddress
import random
from typing import NamedTuple

from skerry.kube.errors import BadRequest, ServiceUnavailable
from skerry.kube.objects import Obj


class Backend(NamedTuple):
    """What a path names: scheme "http" or "https"; port "" when none is named."""

    scheme: str
    name: str
    port: str


def backend_of(text: str, kind: str) -> Backend:
    """The parts of the segment before `/proxy`. Raises BadRequest. `kind`: "pod" or "service", for the message."""
    parts = text.split(":")
    match parts:
        case [name]:
            scheme, port = "", ""
        case [name, port]:
            scheme = ""
        case ["" | "http" | "https" as scheme, name, port]:
            pass
        case _:
            raise BadRequest(f'invalid {kind} request "{text}"')
    if not name:
        raise BadRequest(f'invalid {kind} request "{text}"')
    return Backend(scheme or "http", name, port)


def pod_authority(pod: Obj, backend: Backend) -> str:
    """host:port of a pod: the port asked for, or the first that a container declares. Raises BadRequest."""
    port = backend.port or next((str(port) for port in _declared(pod)), "")
    ips = [entry.get("ip") or "" for entry in (pod.get("status") or {}).get("podIPs") or ()]
    return _authority((ips or [""])[0], port)


def _declared(pod: Obj) -> list[int]:
    return [port["containerPort"] for container in pod["spec"]["containers"] for port in container.get("ports") or ()]


def port_name(service: Obj, backend: Backend) -> str:
    """The name of the service's port that is meant. Raises ServiceUnavailable for a number it does not have."""
    if not backend.port.isdecimal():
        return backend.port
    for port in (service.get("spec") or {}).get("ports") or ():
        if port["port"] == int(backend.port):
            return str(port.get("name") or "")
    raise ServiceUnavailable(f'no service port {backend.port} found for service "{backend.name}"')


def endpoint_authority(endpoints: Obj | None, port: str, shown: str) -> str:
    """host:port of one of a service's ready endpoints. Raises ServiceUnavailable, which names the service `shown`."""
    found = [
        (address["ip"], each["port"])
        for subset in (endpoints or {}).get("subsets") or ()
        for each in subset.get("ports") or ()
        if (each.get("name") or "") == port
        for address in subset.get("addresses") or ()
    ]
    if not found:
        raise ServiceUnavailable(f'no endpoints available for service "{shown}"')
    ip, number = random.choice(found)  # noqa: S311  # spreads load, keeps no secret
    return _authority(ip, str(number))


def _authority(ip: str, port: str) -> str:
    """Raises BadRequest for an address that is not a pod's: the API server must not be led to its own machine's."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        raise BadRequest("address not allowed") from None
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        raise BadRequest("address not allowed")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise BadRequest(f"invalid port {port[:64]!r}")
    host = f"[{ip}]" if address.version == 6 else ip
    return f"{host}:{port}" if port else host
