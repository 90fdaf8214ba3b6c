"""EndpointSlice. Source: `SetDefaults_EndpointPort`, `ValidateEndpointSlice`, `ValidateEndpointSliceUpdate`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, immutable, invalid, not_supported, required
from skerry.engine.schema.kinds.core.endpoints import check_endpoint_ip
from skerry.engine.schema.pods.containers import PROTOCOLS
from skerry.engine.schema.strategies import CountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_TYPES = ("FQDN", "IPv4", "IPv6")
MAX_ENDPOINTS = 1000
MAX_PORTS = 20_000
MAX_ADDRESSES = 100


class EndpointSliceStrategy(CountedStrategy):
    """Addresses of one type and the ports they all have."""

    counted = ("endpoints", "ports")

    def default(self, obj: Obj) -> None:
        """TCP, no name."""
        for port in obj.get("ports") or ():
            set_default(port, "protocol", "TCP")
            set_default(port, "name", "")

    def validate(self, obj: Obj) -> list[Cause]:
        """Type, endpoints, ports."""
        kind = obj.get("addressType")
        causes: list[Cause] = []
        if not kind:
            causes.append(required("addressType"))
        elif kind not in _TYPES:
            causes.append(not_supported("addressType", kind, _TYPES))
        endpoints = obj.get("endpoints") or []
        if len(endpoints) > MAX_ENDPOINTS:
            causes.append(_too_many("endpoints", len(endpoints), MAX_ENDPOINTS))
        for index, endpoint in enumerate(endpoints):
            causes += _check_endpoint(endpoint, f"endpoints[{index}]", kind or "")
        return causes + list(_check_ports(obj.get("ports") or []))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """The type of addresses stays."""
        if new.get("addressType") == old.get("addressType"):
            return []
        return [immutable("addressType", new.get("addressType"))]


def _too_many(field: str, count: int, limit: int) -> Cause:
    return Cause("FieldValueTooMany", f"Too many: {count}: must have at most {limit} items", field)


def _check_endpoint(endpoint: Obj, field: str, kind: str) -> Iterator[Cause]:
    addresses = endpoint.get("addresses") or []
    if not addresses:
        yield required(f"{field}.addresses", "must contain at least 1 address")
    if len(addresses) > MAX_ADDRESSES:
        yield _too_many(f"{field}.addresses", len(addresses), MAX_ADDRESSES)
    for index, address in enumerate(addresses):
        below = f"{field}.addresses[{index}]"
        if kind == "FQDN":
            if complaint := names.subdomain(address):
                yield invalid(below, address, complaint)
        elif (":" in address) != (kind == "IPv6"):
            yield invalid(below, address, f"must be an {kind} address")
        else:
            yield from check_endpoint_ip(address, below)


def _check_ports(ports: list[Obj]) -> Iterator[Cause]:
    if len(ports) > MAX_PORTS:
        yield _too_many("ports", len(ports), MAX_PORTS)
    seen: set[str] = set()
    for index, port in enumerate(ports):
        field, name = f"ports[{index}]", port.get("name") or ""
        if name and (complaint := names.label(name)):
            yield invalid(f"{field}.name", name, complaint)
        if name in seen:
            yield duplicate(f"{field}.name", name)
        seen.add(name)
        if port.get("port") is not None and (complaint := names.port_number(port["port"])):
            yield invalid(f"{field}.port", port["port"], complaint)
        if port.get("protocol") not in PROTOCOLS:
            yield not_supported(f"{field}.protocol", port.get("protocol", ""), PROTOCOLS)
