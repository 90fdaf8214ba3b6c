"""Ranges of addresses as MetalLB's pools write them, "192.0.2.0/24" or "2001:db8::10-2001:db8::1f", and arithmetic on
them. Pure.

An address is a number: below 2^32 it is one of IPv4, else one of IPv6. The addresses of IPv6 that this leaves out,
::/96, are nobody's: the unspecified one, loopback, and what once stood for IPv4's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from typing import NamedTuple

IPV4, IPV6 = "IPv4", "IPv6"
_FIRST_OF_IPV6 = 1 << 32
_BYTE = 256
_POINT_TO_POINT = 127
"""The length from which on a network has no address for all its routers (RFC 6164)."""


class Range(NamedTuple):
    """Addresses as numbers, both ends included; all are of one family."""

    first: int
    last: int

    @property
    def family(self) -> str:
        """ "IPv4" or "IPv6"."""
        return IPV4 if self.first < _FIRST_OF_IPV6 else IPV6

    def __str__(self) -> str:
        """As a pool would write it."""
        first, last = shown(self.first), shown(self.last)
        return first if first == last else f"{first}-{last}"


def shown(address: int) -> str:
    """The address of a number as text."""
    return str(ip_address(address))


def family_of(address: str) -> str:
    """The family of an address that is one."""
    return IPV6 if ":" in address else IPV4


def read(text: str) -> Range:
    """The range of a network or of two addresses. Raises ValueError with what is wrong. The first address of an IPv6
    network is left out: all its routers answer there (RFC 4291, 2.6.1)."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    try:
        found = Range(_numbered(first), _numbered(last)) if dash else _of_network(first)
    except ValueError:
        raise ValueError(f"{text}: neither a network (192.0.2.0/24) nor a range (192.0.2.1-192.0.2.9)") from None
    if dash and family_of(first) != family_of(last):
        raise ValueError(f"{text}: the addresses are of different families")
    if found.first > found.last:
        raise ValueError(f"{text}: the first address is above the last")
    return found


def _of_network(text: str) -> Range:
    if "/" not in text:
        raise ValueError(text)
    found = whole(text)
    routers = found.family == IPV6 and ip_network(text, strict=False).prefixlen < _POINT_TO_POINT
    return Range(found.first + routers, found.last)


def whole(network: str) -> Range:
    """All addresses of a network. Raises ValueError."""
    found = ip_network(network, strict=False)
    least = _FIRST_OF_IPV6 if found.version == 6 else 0
    return Range(max(int(found.network_address), least), int(found.broadcast_address))


def number(address: str) -> int | None:
    """An address as a number, None if it is none."""
    try:
        return _numbered(address)
    except ValueError:
        return None


def _numbered(address: str) -> int:
    found = ip_address(address)
    if found.version == 6 and int(found) < _FIRST_OF_IPV6:
        raise ValueError(address)
    return int(found)


def of_family(ranges: Iterable[Range], family: str) -> list[Range]:
    """Those of a family."""
    return [one for one in ranges if one.family == family]


def without(ranges: Iterable[Range], others: Sequence[Range]) -> list[Range]:
    """What is left of `ranges` when all of `others` is taken away."""
    left = list(ranges)
    for other in others:
        left = [piece for one in left for piece in _cut(one, other)]
    return left


def common(ranges: Iterable[Range], others: Sequence[Range]) -> list[Range]:
    """What is in both."""
    pairs = ((one, other) for one in ranges for other in others)
    overlaps = (Range(max(one.first, other.first), min(one.last, other.last)) for one, other in pairs)
    return [one for one in overlaps if one.first <= one.last]


def contains(ranges: Iterable[Range], address: int) -> bool:
    """Whether one of them has the address."""
    return any(one.first <= address <= one.last for one in ranges)


def addresses(ranges: Iterable[Range]) -> Iterator[int]:
    """All of them, in the order they are written."""
    for one in ranges:
        yield from range(one.first, one.last + 1)


def size(ranges: Iterable[Range]) -> int:
    """How many addresses."""
    return sum(one.last - one.first + 1 for one in ranges)


def is_buggy(address: int) -> bool:
    """Whether it ends in .0 or .255, which some devices take for the address of a network (MetalLB: avoidBuggyIPs)."""
    return address < _FIRST_OF_IPV6 and address % _BYTE in (0, _BYTE - 1)


def buggy(ranges: Iterable[Range]) -> int:
    """How many of the addresses are such."""
    return sum(_multiples(one, 0) + _multiples(one, 1) for one in of_family(ranges, IPV4))


def _multiples(one: Range, shift: int) -> int:
    """How many addresses in it are a multiple of 256 once `shift` is added: x.0 with 0, x.255 with 1."""
    return (one.last + shift) // _BYTE - (one.first + shift - 1) // _BYTE


def _cut(one: Range, other: Range) -> Iterator[Range]:
    if other.last < one.first or one.last < other.first:
        yield one
        return
    if one.first < other.first:
        yield Range(one.first, other.first - 1)
    if other.last < one.last:
        yield Range(other.last + 1, one.last)
