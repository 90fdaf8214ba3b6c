"""IPv4 addresses as ranges of numbers: blocks without their exceptions, joined where they touch. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple


class Range(NamedTuple):
    """From the first to the last address, both included, as numbers."""

    first: int
    last: int

    @property
    def text(self) -> str:
        """As nft writes it."""
        first, last = ipaddress.IPv4Address(self.first), ipaddress.IPv4Address(self.last)
        return str(first) if first == last else f"{first}-{last}"


def of_blocks(blocks: Iterable[tuple[str, Iterable[str]]]) -> tuple[Range, ...]:
    """Each block is a CIDR and those that are excepted from it. Blocks of IPv6 have no IPv4 address in them."""
    found: list[Range] = []
    for cidr, exceptions in blocks:
        found += _without(_range(cidr), [_range(one) for one in exceptions])
    return tuple(_joined(found))


def contains(ranges: Iterable[Range], address: str) -> bool:
    """Whether the address is in one of them."""
    number = int(ipaddress.IPv4Address(address))
    return any(one.first <= number <= one.last for one in ranges)


def _range(cidr: str) -> Range | None:
    network = ipaddress.ip_network(cidr, strict=False)
    if network.version != 4:
        return None
    return Range(int(network.network_address), int(network.broadcast_address))


def _without(whole: Range | None, exceptions: Iterable[Range | None]) -> list[Range]:
    if whole is None:
        return []
    left, at = [], whole.first
    for one in sorted(one for one in exceptions if one is not None):
        if one.first > at:
            left.append(Range(at, one.first - 1))
        at = max(at, one.last + 1)
    return [*left, Range(at, whole.last)] if at <= whole.last else left


def _joined(ranges: Iterable[Range]) -> list[Range]:
    joined: list[Range] = []
    for one in sorted(ranges):
        if joined and one.first <= joined[-1].last + 1:
            joined[-1] = Range(joined[-1].first, max(joined[-1].last, one.last))
        else:
            joined.append(one)
    return joined
