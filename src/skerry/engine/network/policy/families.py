"""The families of addresses an instance has, as the policies' table needs them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skerry.engine.config import EngineConfig


@dataclass(frozen=True, slots=True)
class Family:
    """IPv4 or IPv6."""

    version: int
    word: str
    """How nft calls it: ip or ip6."""
    kind: str
    """The nft type of its addresses."""
    mark: str
    """What names of its maps and sets have more than those of IPv4."""
    pods: str
    """The range of pods' addresses."""
    metadata: tuple[str, ...]
    """Where clouds tell a machine its secrets."""

    def has(self, address: str) -> bool:
        """Whether the address is of this family."""
        return (":" in address) == (self.version == 6)


_METADATA = ("100.100.100.200", "168.63.129.16", "169.254.0.0/16", "192.0.0.192")
"""Alibaba; Azure's wire server; link-local: AWS, Azure, GCP, OpenStack, Oracle, DigitalOcean, Hetzner; older Oracle."""
_METADATA6 = ("fd00:ec2::/64", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42")
"""AWS; GCP; Oracle; Scaleway."""


def families_of(config: EngineConfig) -> Sequence[Family]:
    """One, or two on a dual-stack instance."""
    found = [Family(4, "ip", "ipv4_addr", "", config.pod_cidr, _METADATA)]
    if config.pod_cidr6:
        found.append(Family(6, "ip6", "ipv6_addr", "6", config.pod_cidr6, _METADATA6))
    return found
