"""What the kernel says about this machine's network, from /proc, /sys and sockets: no process is started for it."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ROUTES = Path("/proc/net/route")
_LOCAL_ADDRESSES = Path("/proc/net/fib_trie")
_HOST_MASK = 0xFFFFFFFF
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
    """The interface behind which each of these addresses is, for those that have a route of their own."""
    return {route.destination: route.device for route in routes() if route.is_host and route.destination in addresses}


def default_route_mtu() -> int:
    """The MTU in bytes of the interface of the default route; 1500 without one."""
    for route in routes():
        if route.is_default:
            return int(Path(f"/sys/class/net/{route.device}/mtu").read_text())
    return _DEFAULT_MTU


def own_addresses() -> frozenset[str]:
    """The IPv4 addresses of all interfaces. The file shows each address above the line that says it is local."""
    found, last = set(), ""
    for line in _LOCAL_ADDRESSES.read_text().splitlines():
        words = line.split()
        if words[0] == "|--":
            last = words[1]
        elif words[:3] == ["/32", "host", "LOCAL"]:
            found.add(last)
    return frozenset(found)


def is_listened_on(address: str, protocol: str, port: int) -> bool:
    """Whether a program has `port` of `address`, or of all addresses ("0.0.0.0" asks about any address).

    Tried by taking it for a moment. SO_REUSEADDR makes TCP overlook connections that are ending, but UDP everything.
    """
    if protocol not in ("TCP", "UDP"):
        return False
    kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(protocol == "TCP"))
        try:
            trial.bind((address, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
