"""Network policies with real packets: pods attached by the real CNI plug-ins, judged by the real kernel."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.instance import kernel_has_ipv6
from skerry.engine.network import keeping
from skerry.engine.network.cni import write_cni
from skerry.engine.network.host import remove_network
from skerry.engine.network.policy import keeper
from skerry.engine.network.policy.keeper import PolicyKeeper
from skerry.engine.network.policy.making import World, table_of
from skerry.engine.network.policy.membership import Membership
from skerry.engine.network.policy.parties import party_of
from skerry.engine.network.policy.policies import policy_of
from skerry.engine.network.policy.table import change, whole
from skerry.kube.resources import ENDPOINT_SLICES, NETWORK_POLICIES, PODS, SERVICES
from tests.component.network.conftest import make_config
from tests.component.network.netns import call, host_server
from tests.component.network.policed import (
    BRIEFLY,
    CUT_OFF,
    PolicedNetwork,
    is_cut_off,
    pod_object,
    reaches,
    talking,
)
from tests.component.network.test_proxy import VIRTUAL, endpoints, eventually, name_in, service
from tests.support.waiting import until

pytestmark = pytest.mark.root

APP_A, APP_B = {"matchLabels": {"app": "a"}}, {"matchLabels": {"app": "b"}}


@pytest.fixture
async def network(config: EngineConfig) -> AsyncIterator[PolicedNetwork]:
    made = PolicedNetwork(config)
    await made.start()
    yield made
    await made.close()


async def test_default_deny_and_what_is_let_in_again(network: PolicedNetwork) -> None:
    one, two = await network.pod("one", app="a"), await network.pod("two", app="b")
    await reaches(one, two)
    network.policy(policyTypes=["Ingress"])
    await is_cut_off(one, two)
    await is_cut_off(two, one, "udp")
    assert name_in(call(two.address, 8080)) == "two", "the node reaches its pods"
    network.policy("a", podSelector=APP_B, ingress=[{"from": [{"podSelector": APP_A}]}])
    await reaches(one, two)
    await is_cut_off(two, one)


async def test_services_are_judged_by_where_they_lead(network: PolicedNetwork) -> None:
    one, two = await network.pod("one", app="a"), await network.pod("two", app="b")
    network.api.put(SERVICES, service())
    network.api.put(ENDPOINT_SLICES, endpoints(two.address))
    await eventually(lambda: one.fetch(VIRTUAL, 80), lambda answer: name_in(answer) == "two")
    ports = [{"port": 8080, "protocol": "TCP"}]
    network.policy(podSelector=APP_A, egress=[{"to": [{"podSelector": APP_B}], "ports": ports}])
    network.policy("in", podSelector=APP_A, policyTypes=["Ingress", "Egress"])
    await eventually(lambda: one.fetch(VIRTUAL, 53, "udp", BRIEFLY), lambda answer: answer == CUT_OFF)
    assert name_in(one.fetch(VIRTUAL, 80)) == "two", "the target port counts"
    network.api.put(ENDPOINT_SLICES, endpoints(one.address))
    await eventually(lambda: one.fetch(VIRTUAL, 80), lambda answer: name_in(answer) == "one")


@pytest.mark.parametrize(
    ("port", "allowed"),
    [
        ({"port": 8080}, True),
        ({"port": 8000, "endPort": 8080}, True),
        ({"port": "web"}, True),
        ({}, True),
        ({"port": 8081, "endPort": 9000}, False),
        ({"port": "other"}, False),
        ({"port": 8080, "protocol": "UDP"}, False),
        ({"port": "web", "protocol": "UDP"}, False),
        ({"port": 8080, "protocol": "SCTP"}, False),
    ],
)
@pytest.mark.parametrize("direction", ["ingress", "egress"])
async def test_ports(network: PolicedNetwork, direction: str, port: dict[str, Any], allowed: bool) -> None:
    one, two = await network.pod("one", app="a"), await network.pod("two", app="b")
    selected = APP_B if direction == "ingress" else APP_A
    kinds = [direction.capitalize()]
    network.policy(podSelector=selected, policyTypes=kinds, **{direction: [{"ports": [{"protocol": "TCP", **port}]}]})
    await (reaches if allowed else is_cut_off)(one, two)


async def test_blocks_of_addresses_and_their_exceptions(network: PolicedNetwork) -> None:
    one, two, three = await network.pod("one"), await network.pod("two"), await network.pod("three")
    block = {"cidr": "10.64.0.0/24", "except": [f"{two.address}/32"]}
    network.policy(policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}])
    await is_cut_off(one, two)
    await reaches(one, three)
    network.policy("other", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": f"{two.address}/32"}}]}])
    await reaches(one, two)


async def test_a_connection_is_cut_in_both_directions_and_comes_back(network: PolicedNetwork) -> None:
    one, two = await network.pod("one", app="a"), await network.pod("two", app="b")
    with talking(one, two) as (client, server):
        await until(lambda: client.heard() and server.heard(), "both talking")
        network.policy(podSelector=APP_B, policyTypes=["Ingress"])
        await is_cut_off(one, two)
        await until(lambda: not client.heard() and not server.heard(), "both silent")
        network.api.remove(NETWORK_POLICIES, "policy")
        await until(lambda: client.heard() and server.heard(), "both talking again")


async def test_a_pod_that_nobody_told_of_says_nothing(network: PolicedNetwork) -> None:
    one, stranger = await network.pod("one"), network.stranger("stranger")
    assert stranger.fetch(one.address, 8080, patience=BRIEFLY) == CUT_OFF
    assert stranger.fetch("10.64.0.1", 22, patience=BRIEFLY) == CUT_OFF, "nor to the machine"
    obj = pod_object("stranger")
    network.keeper.attached(obj, (stranger.address,))
    await network.keeper.ready("uid-stranger")
    assert name_in(stranger.fetch(one.address, 8080)) == "one"
    network.keeper.detached("uid-stranger")
    await is_cut_off(stranger, one)


async def test_a_pod_under_a_policy_is_never_open(network: PolicedNetwork) -> None:
    """Its rules are there when `ready` returns: nothing is waited for here."""
    other = await network.pod("other")
    network.policy(policyTypes=["Ingress", "Egress"])
    await is_cut_off(other, await network.pod("first"))
    fresh = await network.pod("fresh")
    assert fresh.fetch(other.address, 8080, patience=BRIEFLY) == CUT_OFF
    assert other.fetch(fresh.address, 8080, patience=BRIEFLY) == CUT_OFF


async def test_labels_decide_as_they_change(network: PolicedNetwork) -> None:
    network.namespace("default")
    one, two = await network.pod("one"), await network.pod("two", "apart", app="b")
    friends = {"matchLabels": {"friends": "yes"}}
    network.policy(namespace="apart", ingress=[{"from": [{"namespaceSelector": friends, "podSelector": APP_A}]}])
    await is_cut_off(one, two)
    network.namespace("default", friends="yes")
    network.api.put(PODS, pod_object("one", labels={"app": "a"}))
    await reaches(one, two)
    network.namespace("default")
    await is_cut_off(one, two)


async def test_the_clusters_names_count_as_a_pod_of_kube_system(network: PolicedNetwork) -> None:
    one = await network.pod("one")
    network.namespace("kube-system")
    labels = {"k8s-app": "kube-dns"}
    names, slices = service("kube-dns"), endpoints("10.64.0.1", service="kube-dns")
    names["metadata"] |= {"namespace": "kube-system", "labels": labels}
    slices["metadata"]["namespace"] = "kube-system"
    network.api.put(SERVICES, names)
    network.api.put(ENDPOINT_SLICES, slices)
    system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    ask = partial(one.fetch, VIRTUAL, 53, "udp", BRIEFLY)
    with host_server("dns"):
        await eventually(ask, lambda answer: name_in(answer) == "dns")
        for egress, allowed in (
            ([], False),
            ([{"to": [system]}], True),
            ([{"to": [{**system, "podSelector": APP_A}]}], False),
            ([{"to": [{**system, "podSelector": {"matchLabels": labels}}]}], True),
            ([{"ports": [{"port": 53, "protocol": "TCP"}]}], False),
            ([{"ports": [{"port": 53, "protocol": "UDP"}]}], True),
            ([{"to": [{"podSelector": {}}]}], False),
            ([{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], True),
            ([{"ports": [{"port": 8080, "protocol": "UDP"}]}], False),
            ([{"to": [system]}], True),
        ):
            network.policy(policyTypes=["Egress"], egress=egress)
            wanted = "dns" if allowed else "failed"
            await eventually(ask, lambda answer, wanted=wanted: name_in(answer) == wanted)  # type: ignore[misc]
        assert one.fetch("10.64.0.1", 22, patience=BRIEFLY) == CUT_OFF, "other ports of the machine are not its"


async def test_a_restarted_engine_finds_the_rules_and_takes_them_over(network: PolicedNetwork) -> None:
    one, two = await network.pod("one"), await network.pod("two")
    network.policy(policyTypes=["Ingress"])
    await is_cut_off(one, two)
    await network.keeper.close()
    network.api.remove(NETWORK_POLICIES, "policy")
    network.keeper = PolicyKeeper(network.config, network.informers)
    await network.keeper.prepare()
    assert one.fetch(two.address, 8080, patience=BRIEFLY) == CUT_OFF, "until it knows better"
    for pod in (one, two):
        network.keeper.attached(pod_object(pod.name), (pod.address,))
    network.keeper.start()
    await reaches(one, two)


async def test_a_table_that_somebody_removed_comes_back(
    network: PolicedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await network.pod("one"), await network.pod("two")
    monkeypatch.setattr(keeper, "_VERIFY", 0.05)
    network.policy(policyTypes=["Ingress"])
    await is_cut_off(one, two)
    subprocess.run(["nft", "delete", "table", "inet", network.config.policy_table], check=True)
    await until(lambda: _has_table(network.config.policy_table), "the table")
    await is_cut_off(one, two)


async def test_removal_takes_the_table(network: PolicedNetwork) -> None:
    assert _has_table(network.config.policy_table)
    await network.keeper.close()
    await remove_network(network.config)
    assert not _has_table(network.config.policy_table)


def test_the_table_of_two_families_loads(host: None, tmp_path: Path) -> None:
    config = replace(make_config(tmp_path), pod_cidr6="fd00:64::/64", service_cidr6="fd00:65::/108")
    blocks = [{"ipBlock": {"cidr": "2001:db8::/32", "except": ["2001:db8:1::/48"]}}, {"podSelector": {}}]
    spec = {"podSelector": {}, "egress": [{"to": blocks, "ports": [{"port": "web"}, {"port": 80, "endPort": 90}]}]}
    policy = policy_of({"metadata": {"name": "p", "namespace": "default"}, "spec": spec})
    party = party_of(pod_object("one"), ("10.64.0.2", "fd00:64::2"))
    before = table_of(config, World(Membership((), {})))
    after = table_of(config, World(Membership([policy], {}), [party], links=frozenset({"veth1"})))
    for text in (whole(before), change(before, after), change(after, before), whole(after)):
        done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{done.stderr}\n{text}"


@pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")
async def test_both_families_are_judged_alike(config: EngineConfig) -> None:
    dual = replace(config, pod_cidr6="fd73:6b72:c000:1::/64", service_cidr6="fd73:6b72:c000:2::/112")
    write_cni(dual)
    network = PolicedNetwork(dual)
    await network.start()
    try:
        one, two = await network.pod("one", app="a"), await network.pod("two", app="b")
        _, address = two.addresses
        ask = partial(one.fetch, address, 8080, "tcp", BRIEFLY)
        await eventually(ask, lambda answer: name_in(answer) == "two")
        network.policy(podSelector=APP_B, policyTypes=["Ingress"])
        await eventually(ask, lambda answer: answer == CUT_OFF)
        network.policy(podSelector=APP_B, ingress=[{"from": [{"podSelector": APP_A}], "ports": [{"port": "web"}]}])
        await eventually(ask, lambda answer: name_in(answer) == "two")
        network.policy(podSelector=APP_B, ingress=[{"from": [{"ipBlock": {"cidr": f"{one.addresses[1]}/128"}}]}])
        await eventually(lambda: one.fetch(two.address, 8080, "tcp", BRIEFLY), lambda answer: answer == CUT_OFF)
        assert name_in(ask()) == "two", "blocks are of one family"
    finally:
        await network.close()


def _has_table(name: str) -> bool:
    return f"inet {name}\n" in subprocess.run(["nft", "list", "tables"], capture_output=True, text=True).stdout


async def test_what_cannot_be_loaded_is_told_and_holds_back_pods(
    network: PolicedNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await network.pod("one"), await network.pod("two")
    network.policy(policyTypes=["Ingress"])
    await is_cut_off(one, two)
    monkeypatch.setattr(keeping, "RETRY", 0.02)
    with monkeypatch.context() as broken:
        broken.setattr(keeper, "table_of", _no_table)
        network.api.remove(NETWORK_POLICIES, "policy")
        await until(lambda: "no table today" in network.keeper.trouble, "the reason")
        assert one.fetch(two.address, 8080, patience=BRIEFLY) == CUT_OFF, "what was loaded stays in force"
        network.keeper.attached(pod_object("late"), ("10.64.0.99",))
        waiting = asyncio.ensure_future(network.keeper.ready("uid-late"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
    await waiting
    await reaches(one, two)
    assert network.keeper.trouble == ""


def _no_table(*_: object) -> None:
    raise ValueError("no table today")
