"""What the kernel says about this machine's network, from /proc, /sys and sockets: no process is started for it."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROUTES = Path("/proc/net/route")
_ROUTES6 = Path("/proc/net/ipv6_route")
_LOCAL_ADDRESSES6 = Path("/proc/net/if_inet6")
_LOCAL_ADDRESSES = Path("/proc/net/fib_trie")
_HOST_MASK = 0xFFFFFFFF
_HOST_LENGTH6 = "80"  # hexadecimal
_LOCAL = 0x80000000  # RTF_LOCAL: a route to an address of the machine
_DEPRECATED = 0x20  # IFA_F_DEPRECATED
_DEFAULT_MTU = 1500


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the main IPv4 routing table."""

    device: str
    destination: str
    mask: int

    @property
    def is_host(self) -> bool:
        """Whether it leads to one address only."""
        return self.mask == _HOST_MASK

    @property
    def is_default(self) -> bool:
        """Whether it leads to everywhere."""
        return self.mask == 0


def routes() -> Iterator[Route]:
    """The main table. Follows proc(5): addresses are in host byte order, in hexadecimal."""
    for line in _ROUTES.read_text().splitlines()[1:]:
        fields = line.split()
        destination = socket.inet_ntoa(struct.pack("=I", int(fields[1], 16)))
        yield Route(fields[0], destination, int(fields[7], 16))


def links_to(addresses: set[str]) -> dict[str, str]:
    """The interface behind which each of these addresses is, for those that have a route of their own. All are of one
    family."""
    if any(":" in one for one in addresses):
        return {address: device for address, device in _host_routes6() if address in addresses}
    return {route.destination: route.device for route in routes() if route.is_host and route.destination in addresses}


def _host_routes6() -> Iterator[tuple[str, str]]:
    """Addresses with an IPv6 route of their own, in all tables, and the interface; not those of this machine."""
    for line in _ROUTES6.read_text().splitlines():
        destination, length, *_, flags, device = line.split()
        if length == _HOST_LENGTH6 and not int(flags, 16) & _LOCAL:
            yield socket.inet_ntop(socket.AF_INET6, bytes.fromhex(destination)), device


def default_route_mtu() -> int:
    """The MTU in bytes of the interface of the default route; 1500 without one."""
    for route in routes():
        if route.is_default:
            return int(Path(f"/sys/class/net/{route.device}/mtu").read_text())
    return _DEFAULT_MTU


def own_addresses() -> frozenset[str]:
    """The addresses of all interfaces. IPv4's file shows each address above the line that says it is local."""
    found, last = _own_addresses6(), ""
    for line in _LOCAL_ADDRESSES.read_text().splitlines():
        words = line.split()
        if words[0] == "|--":
            last = words[1]
        elif words[:3] == ["/32", "host", "LOCAL"]:
            found.add(last)
    return frozenset(found)


def _own_addresses6() -> set[str]:
    """Without those that are announced for others: single, and deprecated from the start."""
    lines = _LOCAL_ADDRESSES6.read_text().splitlines() if _LOCAL_ADDRESSES6.exists() else ()
    found = (line.split() for line in lines)
    return {
        socket.inet_ntop(socket.AF_INET6, bytes.fromhex(address))
        for address, _, length, _, flags, _ in found
        if length != _HOST_LENGTH6 or not int(flags, 16) & _DEPRECATED
    }


def is_listened_on(address: str, protocol: str, port: int) -> bool:
    """Whether a program has `port` of `address`, or of all addresses ("0.0.0.0" and "::" ask about any address).

    Tried by taking it for a moment. SO_REUSEADDR makes TCP overlook connections that are ending, but UDP everything.
    """
    if protocol not in ("TCP", "UDP"):
        return False
    kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind) as trial:
        if ":" in address:
            trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(protocol == "TCP"))
        try:
            trial.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
