"""IPv4 ranges as MetalLB's pools write them, "192.0.2.0/24" or "192.0.2.1-192.0.2.9", and arithmetic on them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import NamedTuple

_BYTE = 256


class Range(NamedTuple):
    """Addresses as numbers, both ends included."""

    first: int
    last: int

    def __str__(self) -> str:
        """As a pool would write it."""
        first, last = IPv4Address(self.first), IPv4Address(self.last)
        return str(first) if first == last else f"{first}-{last}"


def read(text: str) -> Range:
    """The range of a network or of two addresses. Raises ValueError with what is wrong."""
    if ":" in text:
        raise ValueError(f"{text}: IPv6 addresses are not given out")
    first, dash, last = (part.strip() for part in text.partition("-"))
    try:
        found = Range(int(IPv4Address(first)), int(IPv4Address(last))) if dash else _of_network(first)
    except ValueError:
        raise ValueError(f"{text}: neither a network (192.0.2.0/24) nor a range (192.0.2.1-192.0.2.9)") from None
    if found.first > found.last:
        raise ValueError(f"{text}: the first address is above the last")
    return found


def _of_network(text: str) -> Range:
    if "/" not in text:
        raise ValueError(text)
    network = IPv4Network(text, strict=False)
    return Range(int(network.network_address), int(network.broadcast_address))


def number(address: str) -> int | None:
    """An IPv4 address as a number, None if it is none."""
    try:
        return int(IPv4Address(address))
    except AddressValueError:
        return None


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
    return address % _BYTE in (0, _BYTE - 1)


def buggy(ranges: Iterable[Range]) -> int:
    """How many of the addresses are such."""
    return sum(_multiples(one, 0) + _multiples(one, 1) for one in ranges)


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
