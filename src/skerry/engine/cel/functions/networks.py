"""`ip("::1")`, `cidr("10.0.0.0/8")` and their questions. Source: apiserver `pkg/cel/library/{ip,cidr}.go`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, ClassVar

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.values import no_overload
from skerry.kube.records import record

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_MAPPED = re.compile(r"::ffff:\d", re.IGNORECASE)


@record
class IP:
    """An address."""

    CEL_TYPE: ClassVar[str] = "net.IP"
    address: Address

    def cel_string(self) -> str:
        """`string(ip)`."""
        return str(self.address)


@record
class CIDR:
    """An address and the length of its prefix; bits beyond the prefix are kept."""

    CEL_TYPE: ClassVar[str] = "net.CIDR"
    interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface

    def cel_string(self) -> str:
        """`string(cidr)`."""
        return str(self.interface)


def ip(text: str) -> IP:
    """Parse. Raises EvaluationError; zones and IPv4 mapped into IPv6 are refused, as Kubernetes does."""
    if type(text) is not str:
        raise no_overload()
    if "%" in text:
        raise EvaluationError("IP address with zone value is not allowed")
    if _MAPPED.match(text):
        raise EvaluationError("IPv4-mapped IPv6 address is not allowed")
    try:
        return IP(ipaddress.ip_address(text))
    except ValueError:
        raise EvaluationError(f'IP Address "{text}" parse error during conversion from string') from None


def cidr(text: str) -> CIDR:
    """Parse. Raises EvaluationError."""
    if type(text) is not str:
        raise no_overload()
    address, slash, length = text.partition("/")
    if not slash or not length.isdecimal() or (length[0] == "0" and length != "0") or "%" in address:
        raise EvaluationError("network address parse error during conversion from string")
    if _MAPPED.match(address):
        raise EvaluationError("IPv4-mapped IPv6 address is not allowed")
    try:
        return CIDR(ipaddress.ip_interface(text))
    except ValueError:
        raise EvaluationError("network address parse error during conversion from string") from None


def _parses(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        if type(text) is not str:
            raise no_overload()
        try:
            parse(text)
        except EvaluationError:
            return False
        return True

    return test


def is_canonical(text: str) -> bool:
    """Whether the text is how the address is usually written. Raises EvaluationError when it is none."""
    return str(ip(text).address) == text


def _local(value: IP) -> bool:
    return value.address.is_link_local and not value.address.is_multicast


def _global(value: IP) -> bool:
    """Go's IsGlobalUnicast: private addresses count too."""
    at = value.address
    broadcast = at == ipaddress.IPv4Address("255.255.255.255")
    return not (at.is_unspecified or at.is_loopback or at.is_multicast or at.is_link_local or broadcast)


def _local_multicast(value: IP) -> bool:
    at = value.address
    if at.version == 4:
        return at in ipaddress.IPv4Network("224.0.0.0/24")
    packed = at.packed
    return packed[0] == 0xFF and packed[1] & 0x0F == 0x02


def contains_ip(network: CIDR, other: Any) -> bool:
    """Whether an address (or its text) is in the network."""
    address = other.address if isinstance(other, IP) else ip(other).address
    return address.version == network.interface.version and address in network.interface.network


def contains_cidr(network: CIDR, other: Any) -> bool:
    """Whether a network (or its text) lies in the network."""
    inner = (other if isinstance(other, CIDR) else cidr(other)).interface
    outer = network.interface.network
    return inner.version == outer.version and inner.network.prefixlen >= outer.prefixlen and inner.network[0] in outer


def masked(network: CIDR) -> CIDR:
    """The network without bits beyond its prefix."""
    return CIDR(ipaddress.ip_interface(str(network.interface.network)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "ip": ip, "isIP": _parses(ip), "ip.isCanonical": is_canonical, "cidr": cidr, "isCIDR": _parses(cidr),
}  # fmt: skip
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    IP: {
        "family": lambda value: value.address.version,
        "isUnspecified": lambda value: value.address.is_unspecified,
        "isLoopback": lambda value: value.address.is_loopback,
        "isLinkLocalMulticast": _local_multicast,
        "isLinkLocalUnicast": _local,
        "isGlobalUnicast": _global,
    },
    CIDR: {
        "containsIP": contains_ip,
        "containsCIDR": contains_cidr,
        "ip": lambda network: IP(network.interface.ip),
        "masked": masked,
        "prefixLength": lambda network: network.interface.network.prefixlen,
    },
}
