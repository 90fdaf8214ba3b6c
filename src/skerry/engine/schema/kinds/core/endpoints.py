"""Endpoints. Source: `SetDefaults_Endpoints`, `ValidateEndpoints`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import invalid, not_supported, required
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.pods.containers import PROTOCOLS
from skerry.engine.schema.pods.validation import NOT_AN_IP, is_ip
from skerry.engine.schema.strategies import set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


class EndpointsStrategy(Strategy):
    """Subsets of addresses and ports that are real."""

    def default(self, obj: Obj) -> None:
        """TCP."""
        for subset in obj.get("subsets") or ():
            for port in subset.get("ports") or ():
                set_default(port, "protocol", "TCP")

    def validate(self, obj: Obj) -> list[Cause]:
        """Addresses, then ports."""
        subsets = obj.get("subsets") or ()
        return [cause for index, subset in enumerate(subsets) for cause in _check(subset, f"subsets[{index}]")]


def _check(subset: Obj, field: str) -> Iterator[Cause]:
    if not subset.get("addresses") and not subset.get("notReadyAddresses"):
        yield required(field, "must specify `addresses` or `notReadyAddresses`")
    for part in ("addresses", "notReadyAddresses"):
        for index, address in enumerate(subset.get(part) or ()):
            yield from check_endpoint_ip(address.get("ip") or "", f"{field}.{part}[{index}].ip")
    ports = subset.get("ports") or ()
    for index, port in enumerate(ports):
        yield from check_listed_port(port, f"{field}.ports[{index}]", named=len(ports) > 1)


def check_listed_port(port: Obj, field: str, *, named: bool) -> Iterator[Cause]:
    """A port of a Service or of Endpoints. `named`: there are several, so that it must have a name."""
    name = port.get("name")
    if named and not name:
        yield required(f"{field}.name")
    elif name and (complaint := names.label(name)):
        yield invalid(f"{field}.name", name, complaint)
    if complaint := names.port_number(port.get("port", 0)):
        yield invalid(f"{field}.port", port.get("port", 0), complaint)
    if port.get("protocol") not in PROTOCOLS:
        yield not_supported(f"{field}.protocol", port.get("protocol", ""), PROTOCOLS)


def check_endpoint_ip(address: str, field: str) -> Iterator[Cause]:
    """An address traffic may be sent to: not the loopback, link-local, multicast or unspecified ones."""
    if not is_ip(address):
        yield invalid(field, address, NOT_AN_IP)
        return
    parsed = ipaddress.ip_address(address)
    ranges = (
        (parsed.is_unspecified, f"may not be unspecified ({address})"),
        (parsed.is_loopback, "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (parsed.is_link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (parsed.is_multicast, "may not be in the multicast range (224.0.0.0/4, ff00::/8)"),
    )
    for within, complaint in ranges:
        if within:
            yield invalid(field, address, complaint)
