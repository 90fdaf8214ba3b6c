"""The parts that the table is made of: ranges, who has an address, what the engine serves, what changes."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from skerry.engine.network.policy.hooks import hooks_of
from skerry.engine.network.policy.making import World, table_of
from skerry.engine.network.policy.membership import Membership
from skerry.engine.network.policy.parties import Group, Listener, Party, listeners_at, party_of
from skerry.engine.network.policy.policies import policy_of
from skerry.engine.network.policy.ranges import contains, of_blocks
from skerry.engine.network.policy.roster import Roster
from skerry.engine.network.policy.rules import for_listener
from skerry.engine.network.policy.table import Table, change, whole
from skerry.kube.objects import Obj
from tests.unit.network.test_tables import config

_blocks = st.builds(lambda bits, length: f"10.0.0.{bits}/{length}", st.integers(0, 255), st.integers(24, 32))


@given(st.lists(st.tuples(_blocks, st.lists(_blocks, max_size=3)), max_size=3), st.integers(0, 255))
def test_ranges_are_blocks_without_exceptions(blocks: list[tuple[str, list[str]]], last: int) -> None:
    address = ipaddress.ip_address(f"10.0.0.{last}")

    def has(block: str) -> bool:
        return address in ipaddress.ip_network(block, strict=False)

    inner = [
        (whole, [one for one in exceptions if _network(one).subnet_of(_network(whole))]) for whole, exceptions in blocks
    ]
    expected = any(has(whole) and not any(map(has, exceptions)) for whole, exceptions in inner)
    assert contains(of_blocks(inner), str(address)) == expected


def _network(text: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(text, strict=False)


def test_ranges_touching_are_joined_and_written_as_nft_reads_them() -> None:
    found = of_blocks([("10.0.0.0/25", []), ("10.0.0.128/25", []), ("10.9.0.1/32", []), ("2001:db8::/126", [])])
    assert [one.text for one in found] == ["10.0.0.0-10.0.0.255", "10.9.0.1", "2001:db8::-2001:db8::3"]


def pod(name: str, uid: str = "", **labels: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "default", "uid": uid or name, "labels": labels}, "spec": {}}


def addresses(roster: Roster) -> set[str]:
    return {address for one in roster.parties() for address in one.addresses}


def test_an_address_is_its_last_holders() -> None:
    roster = Roster(lambda address: f"veth-{address}")
    roster.attach(pod("old"), ("10.64.0.2",))
    roster.attach(pod("new", app="a"), ("10.64.0.2",))
    (party,) = roster.parties()
    assert party.group.labels == (("app", "a"),)
    assert not roster.detach("old")
    assert roster.detach("new")
    assert (roster.parties(), roster.links()) == ([], frozenset())


def test_a_pod_that_comes_back_has_its_new_address_only() -> None:
    roster = Roster(lambda address: f"veth-{address}")
    roster.attach(pod("one"), ("10.64.0.2", "fd00::2"))
    first = roster.ticket("one")
    roster.attach(pod("one"), ("10.64.0.3",))
    assert addresses(roster) == {"10.64.0.3"}
    assert roster.ticket("one") > first
    assert roster.links() == {"veth-10.64.0.3"}


def test_only_what_selectors_see_is_a_change() -> None:
    roster = Roster(lambda _: "")
    roster.attach(pod("one"), ("10.64.0.2",))
    assert not roster.update({**pod("one"), "status": {"phase": "Running"}})
    assert not roster.update(pod("stranger", app="a"))
    assert roster.update(pod("one", app="a"))
    assert roster.parties()[0].group == Group("default", (("app", "a"),))


def test_ports_with_names_of_containers_and_sidecars() -> None:
    def container(name: str, number: int, **more: Any) -> Obj:
        return {"name": name, "ports": [{"name": name, "containerPort": number}, {"containerPort": 9}], **more}

    spec = {
        "containers": [container("web", 80)],
        "initContainers": [container("init", 81), container("side", 82, restartPolicy="Always")],
    }
    found = party_of({**pod("one"), "spec": spec}, ("10.64.0.2",))
    assert [tuple(port) for port in found.ports] == [("tcp", "side", 82), ("tcp", "web", 80)]


def test_what_the_engine_serves_is_seen_at_its_services_port() -> None:
    services = {
        "kube-dns": {
            "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
            "spec": {"ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]},
        }
    }

    def piece(namespace: str, address: str) -> Obj:
        labels = {"kubernetes.io/service-name": "kube-dns"}
        ports = [{"name": "dns", "port": 10053, "protocol": "UDP"}, {"name": "strange", "port": 1}]
        metadata = {"name": "a", "namespace": namespace, "labels": labels}
        return {"metadata": metadata, "ports": ports, "endpoints": [{"addresses": [address]}]}

    pieces = [piece("kube-system", "10.64.0.1"), piece("kube-system", "10.64.0.7"), piece("default", "10.64.0.1")]
    group = Group("kube-system", (("k8s-app", "kube-dns"),))
    four = Listener("10.64.0.1", "udp", 10053, 53, "dns", group)
    assert listeners_at(("10.64.0.1", "fd00::1"), services, pieces) == [four]
    found = listeners_at(("10.64.0.1", "fd00::1"), services, [*pieces, piece("kube-system", "fd00::1")])
    assert found == [four, replace(four, address="fd00::1")]
    assert [for_listener(one, allowed=True).split()[-4:] for one in found] == [
        ["ip", "saddr", "10.64.0.1", "accept"],
        ["ip6", "saddr", "fd00::1", "accept"],
    ]


def table(*specs: Obj, pods: int = 2, **more: str) -> Table:
    metadata = {"namespace": "default", **more}
    policies = [
        policy_of({"metadata": {"name": f"p{n}", **metadata}, "spec": {"podSelector": {}, **spec}})
        for n, spec in enumerate(specs)
    ]
    parties = [Party((f"10.64.0.{n + 2}",), Group("default", (("n", str(n)),))) for n in range(pods)]
    return table_of(config(), World(Membership(policies, {}), parties))


def test_pods_under_the_same_policies_share_their_chains() -> None:
    found = table({"policyTypes": ["Ingress"]}, {"policyTypes": ["Egress"]}, pods=5)
    assert len(found.chains) == 4
    assert len(set(found.maps["ingress"].values())) == len(set(found.maps["egress"].values())) == 1


def test_selectors_that_say_the_same_share_their_set() -> None:
    exists = {"key": "n", "operator": "Exists"}
    one = {"matchExpressions": [{"key": "n", "operator": "In", "values": ["1", "0"]}, exists]}
    two = {"matchExpressions": [exists, {"key": "n", "operator": "In", "values": ["0", "1"]}]}
    found = table({"ingress": [{"from": [{"podSelector": one}]}]}, {"egress": [{"to": [{"podSelector": two}]}]})
    assert [members for name, members in found.sets.items() if name.startswith("peers/")] == [
        {"10.64.0.2", "10.64.0.3"}
    ]


def test_a_new_pod_changes_elements_only() -> None:
    rule = {"ingress": [{"from": [{"podSelector": {}}]}]}
    lines = change(table(rule), table(rule, pods=3)).splitlines()
    assert lines
    assert all(line.startswith("add element") and "10.64.0.4" in line for line in lines)
    assert change(table(rule), table(rule)) == ""


def test_names_of_chains_stay_within_the_kernels_limit() -> None:
    long = table({"policyTypes": ["Ingress"]}, name="n" * 253)
    other = table({"policyTypes": ["Ingress"]}, name="n" * 252 + "m")
    assert all(len(name) < 200 for name in long.chains)
    assert set(long.chains) != set(other.chains)


def test_a_policy_for_a_protocol_without_ports_here_denies_the_others() -> None:
    """What Kubernetes' tests ask of networks without SCTP: it is not taken for TCP, and the pod is isolated."""
    found = whole(table({"ingress": [{"ports": [{"protocol": "SCTP", "port": 80}]}]}))
    assert "meta l4proto sctp ct reply proto-src 80 accept" in found
    assert "tcp ct reply" not in found


def test_without_ipv6_there_are_no_rules_for_it_but_the_one_that_drops_it() -> None:
    alone = hooks_of(config())
    assert "iifname @links meta nfproto ipv6 drop" in alone["entering"]
    assert not [rule for rules in alone.values() for rule in rules if "ip6" in rule and "skuid" not in rule]
    both = hooks_of(replace(config(), pod_cidr6="fd00:64::/64"))
    assert "iifname @links ip6 saddr != fd00:64::/64 drop" in both["entering"]
    assert any("fd00:ec2::/64" in rule for rule in both["leaving"])
