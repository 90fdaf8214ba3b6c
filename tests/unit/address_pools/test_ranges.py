"""Ranges of addresses and what can be done with them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.address_pools.ranges import (
    Range,
    addresses,
    buggy,
    common,
    contains,
    is_buggy,
    number,
    read,
    size,
    without,
)


def test_networks_and_pairs_of_addresses() -> None:
    assert size([read("192.0.2.0/24")]) == 256
    assert str(read("192.0.2.7/24")) == "192.0.2.0-192.0.2.255"
    assert str(read(" 192.0.2.5 - 192.0.2.9 ")) == "192.0.2.5-192.0.2.9"
    assert str(read("192.0.2.5/32")) == "192.0.2.5"
    assert number("192.0.2.5") == int(IPv4Address("192.0.2.5"))
    assert number("192.0.2") is None


def test_ranges_of_ipv6() -> None:
    assert str(read("2001:db8::10-2001:db8::1f")) == "2001:db8::10-2001:db8::1f"
    assert str(read("2001:db8::/126")) == "2001:db8::1-2001:db8::3", "the first is all routers'"
    assert [size([read(f"2001:db8::2/{length}")]) for length in (127, 128)] == [2, 1]
    assert (read("2001:db8::/64").family, read("192.0.2.0/24").family) == ("IPv6", "IPv4")
    assert str(read("::/64").family) == "IPv6"
    assert number("fd00::1") == int(IPv6Address("fd00::1"))
    assert number("::1") is number("::192.0.2.1") is None
    assert not is_buggy(int(IPv6Address("fd00::100")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.5",
        "192.0.2.0/33",
        "192.0.2.9-192.0.2.5",
        "a-b",
        "192.0.2.1-",
        "fd00::2-fd00::1",
        "::/120",
        "::1-fd00::1",
        "192.0.2.1-fd00::1",
    ],
)
def test_what_is_no_range_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=text or "neither"):
        read(text)


SMALL = st.builds(lambda a, b: Range(min(a, b), max(a, b)), st.integers(0, 1200), st.integers(0, 1200))


@given(st.lists(SMALL, max_size=4), st.lists(SMALL, max_size=4))
def test_arithmetic_is_that_of_sets(these: list[Range], those: list[Range]) -> None:
    left, right = set(addresses(these)), set(addresses(those))
    assert set(addresses(without(these, those))) == left - right
    assert set(addresses(common(these, those))) == left & right
    assert all(contains(these, one) == (one in left) for one in range(0, 1200, 37))


@given(SMALL)
def test_counting_without_looking_at_each(one: Range) -> None:
    assert size([one]) == len(list(addresses([one])))
    assert buggy([one]) == sum(is_buggy(address) for address in addresses([one]))
