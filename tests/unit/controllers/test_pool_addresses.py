"""Which address of a pool a Service gets: kept, asked for, shared, refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.address_pools.pools import pools_of
from skerry.engine.address_pools.ranges import number
from skerry.engine.controllers.loadbalancer.plan import Facts, Plan, plan
from skerry.engine.controllers.loadbalancer.requests import Grant, requests_of
from skerry.kube.objects import Obj
from tests.unit.address_pools.test_pools import pool

NODE = "192.0.2.2"
PUBLIC = pool("public", "198.51.100.5-198.51.100.7")


def service(name: str, age: int = 0, has: str = "", port: int = 80, **more: Any) -> Obj:
    """`has`: the address in its status. `more`: annotations by their name without prefix, and fields of the spec."""
    notes = {"pool": "address-pool", "ips": "loadBalancerIPs", "shared": "allow-shared-ip"}
    annotations = {f"metallb.io/{notes[key]}": more.pop(key) for key in list(more) if key in notes}
    metadata: Obj = {"name": name, "namespace": "ns", "creationTimestamp": f"2026-05-01T00:00:{age:02d}Z"}
    metadata |= {"annotations": annotations, "labels": more.pop("labels", {})}
    spec = {"type": "LoadBalancer", "ports": [{"port": port, "protocol": "TCP"}], **more}
    status = {"loadBalancer": Grant((has,) if has else ()).as_status()}
    return {"metadata": metadata, "spec": spec, "status": status}


def decide(*services: Obj, pools: tuple[Obj, ...] = (PUBLIC,), own: tuple[str, ...] = ()) -> Plan:
    facts = Facts(
        pools=pools_of(pools, ("10.64.0.0/16",)),
        node_addresses=(NODE,),
        taken=lambda _key, _port: "",
        others_addresses={number(one) or 0: "an address of this machine" for one in own},
        namespaces={"ns": {"team": "a"}},
    )
    return plan(requests_of(services), facts)


def given_to(*services: Obj, **around: Any) -> dict[str, str]:
    """The address, or the problem, by name."""
    grants = decide(*services, **around).grants
    return {
        key.removeprefix("ns/"): grant.addresses[0] if grant.addresses else grant.problem
        for key, grant in grants.items()
    }


def test_the_eldest_gets_the_first_address() -> None:
    found = given_to(service("young", age=5), service("old", age=1))
    assert found == {"old": "198.51.100.5", "young": "198.51.100.6"}
    assert decide(service("a")).grants["ns/a"].as_status() == {"ingress": [{"ip": "198.51.100.5", "ipMode": "VIP"}]}


def test_what_is_held_stays_and_is_nobody_elses() -> None:
    assert given_to(service("old"), service("young", age=5, has="198.51.100.5")) == {
        "young": "198.51.100.5",
        "old": "198.51.100.6",
    }


def test_an_address_that_no_pool_has_any_more_is_replaced() -> None:
    assert given_to(service("a", has="203.0.113.1")) == {"a": "198.51.100.5"}
    assert given_to(service("a", has=NODE)) == {"a": "198.51.100.5"}


def test_exhausted_pools_say_so_and_counters_too() -> None:
    found = decide(*(service(f"s{n}", age=n) for n in range(4)))
    assert found.grants["ns/s3"] == Grant(problem="no available IPs in metallb-system/public")
    assert [status for _, status in found.pools] == [
        {"assignedIPv4": 3, "assignedIPv6": 0, "availableIPv4": 0, "availableIPv6": 0}
    ]


@pytest.mark.parametrize("wish", [{"ips": "198.51.100.6"}, {"loadBalancerIP": "198.51.100.6"}])
def test_an_address_asked_for(wish: dict[str, str]) -> None:
    assert given_to(service("a", **wish)) == {"a": "198.51.100.6"}
    assert given_to(service("a", has="198.51.100.5", **wish)) == {"a": "198.51.100.6"}, "it changed its mind"
    other = given_to(service("a", age=5, **wish), service("b", has="198.51.100.6"))
    assert other["a"] == "198.51.100.6 is in use by Service ns/b"


def test_wishes_nobody_can_meet() -> None:
    assert given_to(service("a", ips="203.0.113.1"))["a"] == "203.0.113.1 is not in any pool"
    assert given_to(service("a", ips="203.0.113.1"), pools=())["a"] == "203.0.113.1 is not in any pool"
    assert given_to(service("a", ips="198.51.100.5", pool="x"))["a"] == '198.51.100.5 is not in the pool "x"'
    assert given_to(service("a", pool="x"))["a"] == 'unknown pool "x"'
    assert "one IPv4 address" in given_to(service("a", ips="198.51.100.5,198.51.100.6"))["a"]
    assert "one IPv4 address" in given_to(service("a", ips="fd00::1"))["a"]
    assert "one IPv4 address" in given_to(service("a", ips="nonsense"))["a"]
    assert "both set" in given_to(service("a", ips="198.51.100.5", loadBalancerIP="198.51.100.5"))["a"]
    assert "both set" in given_to(service("a", ips=NODE, loadBalancerIP=NODE), pools=())["a"]


def test_without_an_automatic_pool_the_node_serves_who_names_nothing() -> None:
    manual = pool("manual", "198.51.100.5/32", autoAssign=False)
    found = given_to(service("plain"), service("named", pool="manual"), pools=(manual,))
    assert found == {"plain": NODE, "named": "198.51.100.5"}
    assert given_to(service("plain", loadBalancerIP=NODE), pools=()) == {"plain": NODE}
    assert given_to(service("plain", loadBalancerIP=NODE))["plain"] == f"{NODE} is not in any pool"


def test_the_former_prefix_of_annotations() -> None:
    old = service("a")
    old["metadata"]["annotations"] = {"metallb.universe.tf/loadBalancerIPs": "198.51.100.7"}
    assert given_to(old) == {"a": "198.51.100.7"}


def test_sharing_needs_the_same_key_and_different_ports() -> None:
    web, query = service("web", shared="x"), service("query", age=1, port=53, shared="x")
    assert given_to(web, query) == {"web": "198.51.100.5", "query": "198.51.100.5"}
    assert given_to(web, service("b", age=1, shared="x"))["b"] == "198.51.100.6", "the same port"
    assert given_to(web, service("b", age=1, port=53, shared="y"))["b"] == "198.51.100.6"
    local = service("b", age=1, port=53, shared="x", externalTrafficPolicy="Local", selector={"app": "b"})
    assert given_to(web, local)["b"] == "198.51.100.6", "clients' addresses could not be kept apart"


def test_two_that_hold_one_address_without_sharing_are_parted() -> None:
    found = given_to(service("a", has="198.51.100.5"), service("b", age=1, has="198.51.100.5"))
    assert found == {"a": "198.51.100.5", "b": "198.51.100.6"}


def test_pools_for_some_come_first_by_priority_and_others_never_get_them() -> None:
    mine = {"namespaces": ["ns"]}
    pools = (
        PUBLIC,
        pool("late", "203.0.113.1/32", serviceAllocation=mine),
        pool("third", "203.0.113.3/32", serviceAllocation={**mine, "priority": 30}),
        pool("second", "203.0.113.2/32", serviceAllocation={**mine, "priority": 20}),
        pool("theirs", "203.0.113.9/32", serviceAllocation={"namespaces": ["other"], "priority": 1}),
    )
    found = given_to(*(service(f"s{n}", age=n) for n in range(4)), pools=pools)
    assert list(found.values()) == ["203.0.113.2", "203.0.113.3", "203.0.113.1", "198.51.100.5"]
    assert given_to(service("a", pool="theirs"), pools=pools)["a"] == 'pool "theirs" is not for this Service'
    assert "not for this Service" in given_to(service("a", ips="203.0.113.9"), pools=pools)["a"]
    assert given_to(service("a", has="203.0.113.9"), pools=pools)["a"] == "203.0.113.2"


def test_addresses_of_the_machine_are_passed_over() -> None:
    assert given_to(service("a"), own=("198.51.100.5",)) == {"a": "198.51.100.6"}
    asked = given_to(service("a", ips="198.51.100.5"), own=("198.51.100.5",))
    assert asked["a"] == "198.51.100.5 is an address of this machine"
    assert decide(own=("198.51.100.5",)).pools[0][1]["availableIPv4"] == 2


SERVICES = st.lists(
    st.fixed_dictionaries(
        {
            "has": st.sampled_from(["", "198.51.100.5", "198.51.100.6", NODE]),
            "port": st.sampled_from([80, 443]),
            "shared": st.sampled_from(["", "x"]),
            "age": st.integers(0, 9),
        }
    ),
    max_size=7,
)


@given(SERVICES)
def test_nobody_shares_unasked_and_a_second_look_changes_nothing(wanted: list[dict[str, Any]]) -> None:
    services = [service(f"s{n}", **one) for n, one in enumerate(wanted)]
    first = decide(*services).grants
    seen: dict[tuple[str, int], str] = {}
    for number_, one in enumerate(services):
        grant = first[f"ns/s{number_}"]
        one["status"] = {"loadBalancer": grant.as_status()}
        for address in grant.addresses:
            place = address, wanted[number_]["port"]
            assert place not in seen
            seen[place] = "taken"
    assert {key: grant.as_status() for key, grant in decide(*services).grants.items()} == {
        key: grant.as_status() for key, grant in first.items()
    }


MIXED = pool("mixed", "198.51.100.5-198.51.100.6", "2001:db8::5-2001:db8::6")
FOUR, SIX = "198.51.100.5", "2001:db8::5"
BOTH: dict[str, Any] = {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "PreferDualStack"}
REQUIRED = {**BOTH, "ipFamilyPolicy": "RequireDualStack"}


def both_given_to(one: Obj, *others: Obj, pools: tuple[Obj, ...] = (MIXED,)) -> tuple[str, ...] | str:
    """The addresses of a Service; the problem if there is one, though it may have some."""
    found = decide(one, *others, pools=pools).grants[f"ns/{one['metadata']['name']}"]
    return found.problem or found.addresses


def test_a_service_gets_an_address_of_each_of_its_families_in_their_order() -> None:
    assert both_given_to(service("a", **BOTH)) == (FOUR, SIX)
    assert both_given_to(service("a", **{**BOTH, "ipFamilies": ["IPv6", "IPv4"]})) == (SIX, FOUR)
    assert both_given_to(service("a")) == (FOUR,)
    assert both_given_to(service("a", ipFamilies=["IPv6"])) == (SIX,)
    status = decide(service("a", **BOTH), pools=(MIXED,)).pools[0][1]
    assert status == {"assignedIPv4": 1, "assignedIPv6": 1, "availableIPv4": 1, "availableIPv6": 1}


def test_families_may_come_from_different_pools() -> None:
    apart = pool("four", "198.51.100.5/32"), pool("six", "2001:db8::/64", "192.0.2.7/32", age=1)
    assert both_given_to(service("a", **REQUIRED), pools=apart) == (FOUR, "2001:db8::1")
    assert decide(pools=apart).pools[1][1]["availableIPv6"] == (1 << 63) - 1


def test_who_prefers_two_families_gets_one_and_the_other_once_it_is_there() -> None:
    assert both_given_to(service("a", **BOTH), pools=(PUBLIC,)) == (FOUR,)
    assert both_given_to(service("a", has="198.51.100.6", **BOTH)) == ("198.51.100.6", SIX)


def test_who_requires_two_families_gets_both_or_waits_with_what_it_has() -> None:
    said = "no available IPv6 addresses: no pool is for this Service"
    assert both_given_to(service("a", **REQUIRED), pools=(PUBLIC,)) == said
    assert decide(service("a", **REQUIRED)).grants["ns/a"].addresses == ()
    assert decide(service("a", has=FOUR, **REQUIRED)).grants["ns/a"] == Grant((FOUR,), problem=said)
    assert given_to(service("a", **REQUIRED), service("b", age=1))["b"] == FOUR, "what is not given stays free"


def test_a_family_that_is_given_up_is_given_back() -> None:
    was_dual = service("a", has=FOUR)
    was_dual["status"]["loadBalancer"]["ingress"].append({"ip": SIX, "ipMode": "VIP"})
    found = decide(was_dual, service("b", age=1, ipFamilies=["IPv6"]), pools=(MIXED,)).grants
    assert (found["ns/a"].addresses, found["ns/b"].addresses) == ((FOUR,), (SIX,))


def test_addresses_of_both_families_asked_for() -> None:
    assert both_given_to(service("a", ips="2001:db8::6, 198.51.100.6", **BOTH)) == ("198.51.100.6", "2001:db8::6")
    assert both_given_to(service("a", ips="2001:DB8:0::6", **BOTH)) == ("2001:db8::6",)
    assert "one IPv4 address and one IPv6 address" in both_given_to(service("a", ips=f"{SIX},2001:db8::6", **BOTH))
    assert "an IPv4 address must be asked for as well" in both_given_to(service("a", ips=SIX, **REQUIRED))
    holder = service("b", has=SIX, ipFamilies=["IPv6"])
    assert both_given_to(service("a", ips=f"{FOUR},{SIX}", **BOTH), holder) == f"{SIX} is in use by Service ns/b"


def test_sharing_in_both_families() -> None:
    web, query = service("web", shared="x", **BOTH), service("query", age=1, port=53, shared="x", **BOTH)
    assert both_given_to(query, web) == (FOUR, SIX)
