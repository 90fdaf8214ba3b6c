"""Where catalogues may reach: everybody's anywhere, those of projects and Releases what is public or operators allow.

A tenant who writes a Catalog or a Release has the platform ask an address in his stead, from a place where it may reach
more than he does: a cloud's metadata, the cluster's own services, this machine. So addresses are judged, not names, and
it is the address that was judged which is connected to.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

from skerry.kube.records import record
from skerry.platform.catalog.settings import Network

Address: TypeAlias = IPv4Address | IPv6Address
_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv4 inside IPv6 (RFC 6052): the last four bytes are the address."""
_OF_A_SITE = tuple(map(ip_network, ("::/96", "64:ff9b:1::/48", "fec0::/10")))
"""IPv6 that Python takes for public: IPv4 inside it (RFC 4291, 8215), and what sites had before fc00::/7."""


class OutOfReach(OSError):
    """All addresses of a host are such as nobody but operators may have asked."""


@record
class Reach:
    """Of one catalogue."""

    is_anywhere: bool
    networks: tuple[Network, ...] = ()
    """What is allowed beside public addresses."""

    def allows(self, address: str) -> bool:
        """Whether it may be connected to."""
        meant = meant_by(ip_address(address.partition("%")[0]))
        if self.is_anywhere or any(meant in one for one in self.networks):
            return True
        return meant.is_global and not meant.is_multicast and not any(meant in one for one in _OF_A_SITE)

    def choose(self, host: str, addresses: Iterable[str]) -> list[str]:
        """Those of a host that may be connected to. Raises OutOfReach."""
        found = [one for one in addresses if self.allows(one)]
        if not found:
            raise OutOfReach(
                f"{host} is at no public address: projects do not reach it unless an operator adds its network "
                f"to `addresses` of ConfigMap catalog in skerry-system"
            )
        return found


def meant_by(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(address.packed[-4:])
    inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    return inside or address


async def addresses_of(host: str, port: int) -> list[str]:
    """As the system resolves it. Raises OSError."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # of a part that is empty or too long
        raise OSError(f"{host[:200]!r} cannot be a name") from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))
