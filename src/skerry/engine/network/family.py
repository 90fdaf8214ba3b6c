"""One IP family of an instance: its addresses, and how nft speaks of it. Each family has a table of its own.

Everything that works with rules is given a family, so that IPv4 and IPv6 go the same way. Neighbours: `services`,
`tables` and `loading`.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_network

from skerry.engine.config import EngineConfig

IPV4, IPV6 = "IPv4", "IPv6"
_SOCKET_FAMILIES = {IPV4: socket.AF_INET, IPV6: socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class Family:
    """Of one instance."""

    name: str
    """As EndpointSlices say it: "IPv4" or "IPv6"."""
    table: str
    """nft's family and name of the table: "inet skerry-ab12"."""
    pods: str
    services: str
    """The ranges of pods and of cluster IPs."""
    node_ip: str
    """The machine's own address, "" without one."""
    loopback: str
    """The loopback address at which node ports answer, "" for none: IPv6 has one only, the first instance's."""
    is_everywhere: bool
    """Whether node ports answer at the machine's other addresses too."""

    @property
    def word(self) -> str:
        """The protocol in nft's rules."""
        return "ip" if self.name == IPV4 else "ip6"

    @property
    def address_type(self) -> str:
        """The type of an address in nft's sets."""
        return "ipv4_addr" if self.name == IPV4 else "ipv6_addr"

    @property
    def gateway(self) -> str:
        """The host's end of every pod interface: `host-local` takes the first address of the range."""
        return str(ip_network(self.pods)[1])

    def has(self, address: str) -> bool:
        """Whether it is one of this family's addresses."""
        return is_of(self.name, address)


def families_of(config: EngineConfig) -> list[Family]:
    """The families an instance has, the first first."""
    first = config.index == 0
    ipv4 = Family(
        IPV4,
        f"inet {config.nft_table}",
        config.pod_cidr,
        config.service_cidr,
        config.node_ip,
        config.loopback_address,
        is_everywhere=first,
    )
    if not config.pod_cidr6:
        return [ipv4]
    table = f"ip6 {config.nft_table}"
    ipv6 = Family(
        IPV6,
        table,
        config.pod_cidr6,
        config.service_cidr6,
        config.node_ip6,
        loopback="::1" if first else "",
        is_everywhere=first,
    )
    return [ipv4, ipv6]


def is_of(family: str, text: str) -> bool:
    """Whether it is an address of a family (asked often: the C library is ten times as quick as `ipaddress`)."""
    try:
        socket.inet_pton(_SOCKET_FAMILIES[family], text)
    except (OSError, ValueError):
        return False
    return True
