"""Which addresses pools have, and whom they serve."""

from __future__ import annotations

from typing import Any

from skerry.engine.address_pools.pools import Pool, pools_of, serves
from skerry.engine.address_pools.ranges import number

NEVER = ("10.64.0.0/16", "10.65.0.0/16", "fd73:6b72:c000:2::/112")


def pool(name: str, *addresses: str, namespace: str = "metallb-system", age: int = 0, **spec: Any) -> dict[str, Any]:
    """Younger with a higher `age`."""
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": f"2026-05-01T00:00:{age:02d}Z"}
    return {"metadata": metadata, "spec": {"addresses": list(addresses), **spec}}


def read(*objects: dict[str, Any]) -> list[Pool]:
    return pools_of(objects, NEVER)


def shown(one: Pool) -> list[str]:
    return [str(each) for each in one.ranges]


def test_a_pool_as_it_is_written() -> None:
    (found,) = read(pool("public", "198.51.100.8/30", "198.51.100.2-198.51.100.3", "198.51.100.9/32"))
    assert shown(found) == ["198.51.100.8-198.51.100.11", "198.51.100.2-198.51.100.3"]
    assert (found.size, found.is_automatic, found.complaint) == (6, True, "")


def test_buggy_addresses_can_be_avoided() -> None:
    (found,) = read(pool("public", "198.51.100.254-198.51.101.1", avoidBuggyIPs=True))
    assert found.size == 2
    assert not found.has(number("198.51.101.0") or 0)
    assert found.has(number("198.51.101.1") or 0)


def test_an_address_in_two_pools_is_the_elders() -> None:
    younger, elder = pool("a", "198.51.100.0/24", age=5), pool("b", "198.51.100.128/25", age=1)
    first, second = read(younger, elder)
    assert (first.name, shown(second)) == ("b", ["198.51.100.0-198.51.100.127"])
    assert "198.51.100.128-198.51.100.255 belong to the elder IPAddressPool metallb-system/b" in second.complaint


def test_the_clusters_own_ranges_and_loopback_are_never_given_out() -> None:
    (found,) = read(pool("odd", "10.63.255.254-10.64.0.1", "127.0.0.0/8", "10.65.3.0/24"))
    assert shown(found) == ["10.63.255.254-10.63.255.255"]
    for part in ("10.64.0.0-10.64.0.1", "127.0.0.0-127.255.255.255", "10.65.3.0-10.65.3.255"):
        assert part in found.complaint


def test_what_cannot_be_read_is_said_and_the_rest_counts() -> None:
    (found,) = read(pool("odd", "nonsense", "fd00::/129", "198.51.100.1/32"))
    assert found.size == 1
    assert "nonsense" in found.complaint
    assert "fd00::/129" in found.complaint


def test_a_pool_of_both_families() -> None:
    (found,) = read(pool("mixed", "2001:db8::/120", "198.51.100.0/24", avoidBuggyIPs=True))
    assert (found.count("IPv4"), found.count("IPv6"), found.size) == (254, 255, 509)
    (odd,) = read(pool("odd", "fe80::/16", "ff02::/16", "64:ff9b::/96", "fd73:6b72:c000:2::/64"))
    assert [str(one) for one in odd.ranges] == ["fd73:6b72:c000:2::1:0-fd73:6b72:c000:2:ffff:ffff:ffff:ffff"]


def test_pools_of_tenants_do_not_count() -> None:
    (found,) = read(pool("mine", "198.51.100.0/24", namespace="tenant"))
    assert found.size == 0
    assert "metallb-system and kube-system only" in found.complaint
    assert read(pool("ours", "198.51.100.0/24", namespace="kube-system"))[0].size == 256


def test_whom_a_pool_serves() -> None:
    service = {"metadata": {"name": "web", "namespace": "shop", "labels": {"tier": "gold"}}}
    labels = {"shop": {"team": "a"}}

    def is_served(**allocation: Any) -> bool:
        (found,) = read(pool("public", "198.51.100.0/24", serviceAllocation=allocation))
        return serves(found, service, lambda name: labels.get(name, {}))

    assert is_served()
    assert is_served(namespaces=["shop"])
    assert not is_served(namespaces=["other"])
    assert is_served(namespaces=["other"], namespaceSelectors=[{"matchLabels": {"team": "a"}}])
    assert not is_served(namespaceSelectors=[{"matchLabels": {"team": "b"}}])
    assert is_served(namespaces=["shop"], serviceSelectors=[{"matchLabels": {"tier": "gold"}}])
    assert not is_served(namespaces=["shop"], serviceSelectors=[{"matchLabels": {"tier": "silver"}}])


def test_a_selector_that_nobody_can_read_closes_the_pool() -> None:
    selector = {"matchExpressions": [{"key": "a", "operator": "Near"}]}
    (found,) = read(pool("odd", "198.51.100.0/24", serviceAllocation={"serviceSelectors": [selector]}))
    assert found.size == 0
    assert "Near" in found.complaint
