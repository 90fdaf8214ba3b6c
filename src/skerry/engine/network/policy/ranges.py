"""Addresses as ranges of numbers: blocks without their exceptions, joined where they touch. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from skerry.engine.network.family import IPV4, IPV6

_SORTS = {IPV4: ipaddress.IPv4Address, IPV6: ipaddress.IPv6Address}


class Range(NamedTuple):
    """From the first to the last address, both included, as numbers."""

    family: str
    first: int
    last: int

    @property
    def text(self) -> str:
        """As nft writes it."""
        sort = _SORTS[self.family]
        return str(sort(self.first)) if self.first == self.last else f"{sort(self.first)}-{sort(self.last)}"


def of_blocks(blocks: Iterable[tuple[str, Iterable[str]]]) -> tuple[Range, ...]:
    """Each block is a CIDR and those that are excepted from it."""
    found: list[Range] = []
    for cidr, exceptions in blocks:
        found += _without(_range(cidr), [_range(one) for one in exceptions])
    return tuple(_joined(found))


def contains(ranges: Iterable[Range], address: str) -> bool:
    """Whether the address is in one of them."""
    asked = ipaddress.ip_address(address)
    return any(one.family == f"IPv{asked.version}" and one.first <= int(asked) <= one.last for one in ranges)


def _range(cidr: str) -> Range:
    network = ipaddress.ip_network(cidr, strict=False)
    return Range(f"IPv{network.version}", int(network.network_address), int(network.broadcast_address))


def _without(whole: Range, exceptions: Iterable[Range]) -> list[Range]:
    left, at = [], whole.first
    for one in sorted(exceptions):
        if one.first > at:
            left.append(Range(whole.family, at, one.first - 1))
        at = max(at, one.last + 1)
    return [*left, Range(whole.family, at, whole.last)] if at <= whole.last else left


def _joined(ranges: Iterable[Range]) -> list[Range]:
    joined: list[Range] = []
    for one in sorted(ranges):
        before = joined[-1] if joined else None
        if before is not None and before.family == one.family and one.first <= before.last + 1:
            joined[-1] = before._replace(last=max(before.last, one.last))
        else:
            joined.append(one)
    return joined
