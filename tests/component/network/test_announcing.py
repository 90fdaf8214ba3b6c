"""Addresses of pools on a real network: ARP finds them where they are announced, packets reach pods, nothing stays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.definitions.metallb import ADDRESS_POOLS, L2_ADVERTISEMENTS
from skerry.engine.definitions.notation import BUNDLED
from skerry.engine.network.announcing.announcer import Announcer
from skerry.engine.network.host import remove_network
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, ENDPOINT_SLICES, NODES, SERVICES
from tests.component.network.lan import CLIENT, HOST, Lan
from tests.component.network.netns import Pod, call, host_server, sysctl
from tests.component.network.test_proxy import endpoints, eventually, name_in, service
from tests.support.collections import Collections
from tests.support.waiting import until

pytestmark = pytest.mark.root

ADDRESS = "198.51.100.50"
POOL = {
    "metadata": {"name": "public", "namespace": "metallb-system"},
    "spec": {"addresses": ["198.51.100.40-198.51.100.60", "203.0.113.0/24"]},
}


def advertisement(**spec: Any) -> Obj:
    return {"metadata": {"name": "local", "namespace": "metallb-system"}, "spec": spec}


def balanced(address: str = ADDRESS, **spec: Any) -> Obj:
    status = {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
    made = {**service(type="LoadBalancer", **spec), "status": status}
    return {**made, "metadata": {**made["metadata"], "uid": "uid-web"}}


@dataclass
class Events:
    """In place of the recorder."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def named(self, component: str) -> Self:
        return self

    def event(self, involved: Obj, type_: str, reason: str, message: str) -> None:
        self.seen.append((reason, message))

    def of(self, reason: str) -> str:
        """The newest message of a reason; fails while there is none."""
        return [message for seen, message in self.seen if seen == reason][-1]


@pytest.fixture
def lan(host: None) -> Iterator[Lan]:
    made = Lan()
    yield made
    made.close()


@pytest.fixture
async def api(api: Collections, config: EngineConfig, lan: Lan) -> AsyncIterator[Collections]:
    """With pools that are ours, and none of them advertised."""
    config.paths.run.mkdir(parents=True, exist_ok=True)
    annotations = {BUNDLED: "digest"}
    metadata = {"name": ADDRESS_POOLS.group_resource, "annotations": annotations}
    api.put(CUSTOM_RESOURCE_DEFINITIONS, {"metadata": metadata})
    api.put(NODES, {"metadata": {"name": "here", "labels": {"zone": "a"}}})
    api.put(ADDRESS_POOLS, POOL)
    return api


class Announcing:
    """An announcer at work, as of one engine."""

    def __init__(self, config: EngineConfig, api: Collections) -> None:
        self.events = Events()
        self._informers = Informers(api)  # type: ignore[arg-type]  # only lists and watches are needed
        self._announcer = Announcer(config, self._informers, self.events)  # type: ignore[arg-type]

    async def __aenter__(self) -> Events:
        await self._informers.start()
        self._announcer.start()
        return self.events

    async def __aexit__(self, *_: object) -> None:
        await self._announcer.close()
        await self._informers.close()


async def test_an_address_is_found_by_arp_and_leads_to_the_pods(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced())
        api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == f"one {CLIENT}")
        assert lan.fetch(ADDRESS, 53, "udp") == f"one {CLIENT}"
        assert lan.neighbour(ADDRESS) == lan.hardware
        assert name_in(call(ADDRESS, 80)) == "one", "from the host"
        assert name_in(pods[0].fetch(ADDRESS, 80)) == "one", "from the pod itself"
        said = f'announcing {ADDRESS} from node "here" with protocol "layer2" on lan0'
        await until(lambda: said in events.of("nodeAssigned"))  # said when all of it is done: the kernel answers before
        with host_server("everywhere"):
            assert lan.fetch(HOST, 8080).startswith("everywhere")
            assert lan.fetch(ADDRESS, 8080) == "failed ConnectionRefusedError", "it is no address of the host"
            assert call(ADDRESS, 8080) == "failed ConnectionRefusedError"
        api.remove(SERVICES, "web")
        await eventually(lambda: lan.fetch(ADDRESS, 80), gone(lan))  # by the proxy's rules, perhaps before ours
        await until(lambda: ADDRESS not in kernel())


async def test_an_address_is_announced_on_the_named_interface_only(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    other = Lan("lan1", "192.0.2.1", "192.0.2.9")
    address = "203.0.113.7"
    for end in (lan, other):
        end.run("ip", "route", "add", "203.0.113.0/24", "dev", "eth0")
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced(address))
        api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await until(lambda: "in the network of no interface" in events.of("NotAnnounced"))
        api.put(L2_ADVERTISEMENTS, advertisement(interfaces=["lan1"]))
        await eventually(lambda: other.fetch(address, 80), lambda answer: answer == "one 192.0.2.9")
        assert lan.fetch(address, 80) == "failed OSError"
        assert lan.neighbour(address) == ""
        api.put(L2_ADVERTISEMENTS, advertisement(interfaces=["lan0"]))
        await eventually(lambda: lan.fetch(address, 80), lambda answer: answer == f"one {CLIENT}")
        await eventually(lambda: other.fetch(address, 80), gone(other))
    other.close()


_AS_ADDRESS = ("address {verb} {address}/32 dev eth0",)
_AS_SKERRY = ("route {verb} {address}/32 dev lo", "neighbour {verb} proxy {address} dev eth0")


@pytest.mark.parametrize("held", [_AS_ADDRESS, _AS_SKERRY])
async def test_an_address_that_somebody_else_has_is_left_to_them(
    api: Collections,
    pods: list[Pod],
    lan: Lan,
    config: EngineConfig,
    monkeypatch: pytest.MonkeyPatch,
    held: tuple[str, ...],
) -> None:
    """Who has it as their own, and who announces it as we do."""
    monkeypatch.setattr("skerry.engine.network.announcing.announcer._LOOK_AGAIN", 0.05)
    lan.run("sh", "-c", "cd /proc/sys/net/ipv4; echo 1 > ip_forward; echo 0 > neigh/eth0/proxy_delay")
    for words in held:
        lan.run("ip", *words.format(verb="add", address=ADDRESS).split())
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced())
        api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
        api.put(L2_ADVERTISEMENTS, advertisement())
        theirs = json.loads(lan.run("ip", "-j", "link", "show", "eth0"))[0]["address"]
        await until(lambda: f"{theirs} answers for it already" in events.of("AddressConflict"))
        assert f"{ADDRESS} dev lan0" not in kernel()
        for words in held:
            lan.run("ip", *words.format(verb="del", address=ADDRESS).split())
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == f"one {CLIENT}")


async def test_who_had_learnt_another_place_hears_of_the_new_one(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    lan.run("ip", "neighbour", "add", ADDRESS, "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale")
    async with Announcing(config, api):
        api.put(SERVICES, balanced())
        api.put(L2_ADVERTISEMENTS, advertisement())
        await until(lambda: lan.neighbour(ADDRESS) == lan.hardware)


async def test_announcements_outlive_the_engine_and_the_next_one_goes_on(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    before = delay(lan)
    assert before != "0"
    async with Announcing(config, api):
        api.put(SERVICES, balanced())
        api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == f"one {CLIENT}")
    lan.run("ip", "neighbour", "flush", "all")
    assert lan.fetch(ADDRESS, 80) == f"one {CLIENT}", "nobody but the kernel can have answered"
    other = "198.51.100.51"
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced(other))
        await eventually(lambda: lan.fetch(other, 80), lambda answer: answer == f"one {CLIENT}")
        assert ADDRESS not in kernel()
        assert "AddressConflict" not in dict(events.seen)
        await until(lambda: delay(lan) == "0")  # set when the address is there
    await remove_network(config)
    assert other not in kernel()
    assert delay(lan) == before
    await remove_network(config)


async def test_pools_of_another_program_are_its_own(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    api.put(SERVICES, balanced())
    api.put(L2_ADVERTISEMENTS, advertisement())
    async with Announcing(config, api):
        await until(lambda: f"{ADDRESS} dev lan0" in kernel())
        api.put(CUSTOM_RESOURCE_DEFINITIONS, {"metadata": {"name": ADDRESS_POOLS.group_resource}})
        await until(lambda: ADDRESS not in kernel())


def kernel() -> str:
    """Routes and entries there are."""
    commands = (["ip", "route"], ["ip", "neighbour", "show", "proxy"])
    return "".join(subprocess.run(one, capture_output=True, text=True, check=True).stdout for one in commands)


def delay(lan: Lan) -> str:
    return Path(sysctl("neigh") / lan.interface / "proxy_delay").read_text().strip()


def gone(lan: Lan) -> Callable[[str], bool]:
    """Whether nobody answers any more, from the next question by ARP on."""

    def holds(answer: str) -> bool:
        lan.run("ip", "neighbour", "flush", "all")
        return answer.startswith("failed")

    return holds
