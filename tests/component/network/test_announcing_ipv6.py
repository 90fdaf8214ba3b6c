"""IPv6 addresses of pools on a real network: NDP finds them where they are announced, packets reach pods, nothing
stays."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.definitions.metallb import ADDRESS_POOLS, L2_ADVERTISEMENTS
from skerry.engine.instance import kernel_has_ipv6
from skerry.engine.network.announcing.kernel import in_kernel
from skerry.engine.network.announcing.wanted import Announcement
from skerry.engine.network.cni import write_cni
from skerry.engine.network.host import remove_network
from skerry.engine.network.machine import own_addresses
from skerry.kube.objects import Obj
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, ENDPOINT_SLICES, SERVICES
from tests.component.network.conftest import make_config
from tests.component.network.lan import Lan
from tests.component.network.netns import Pod, call, host_server
from tests.component.network.test_announcing import Announcing, advertisement
from tests.component.network.test_announcing import api as ipv4_api  # noqa: F401  # used by the fixture of that name
from tests.component.network.test_dual_stack import VIRTUAL6, endpoints, eventually, name_in, service
from tests.support.collections import Collections
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")]

HOST, CLIENT = "2001:db8:1::1", "2001:db8:1::9"
ADDRESS, OTHER = "2001:db8:1::50", "2001:db8:1::51"
POOL = {
    "metadata": {"name": "public", "namespace": "metallb-system"},
    "spec": {"addresses": ["198.51.100.40-198.51.100.60", "2001:db8:1::40-2001:db8:1::60", "2001:db8:2::/64"]},
}


def balanced(*addresses: str, **spec: object) -> Obj:
    listed = [{"ip": address, "ipMode": "VIP"} for address in addresses or (ADDRESS,)]
    made = service(type="LoadBalancer", **spec)
    return {
        **made,
        "metadata": {**made["metadata"], "uid": "uid-web"},
        "status": {"loadBalancer": {"ingress": listed}},
    }


def with_ipv6(lan: Lan, host: str = HOST, client: str = CLIENT) -> Lan:
    """The network's IPv6 addresses, and nobody waits until they are known to be theirs."""
    subprocess.run(["ip", "address", "add", f"{host}/64", "dev", lan.interface, "nodad"], check=True)
    lan.run("ip", "address", "add", f"{client}/64", "dev", "eth0", "nodad")
    return lan


@pytest.fixture
def config(tmp_path: Path, host: None) -> EngineConfig:
    ranges = {"pod_cidr6": "fd73:6b72:c000:1::/64", "service_cidr6": "fd73:6b72:c000:2::/112"}
    dual = replace(make_config(tmp_path), **ranges)
    write_cni(dual)
    return dual


@pytest.fixture
def lan(host: None) -> Iterator[Lan]:
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0\n")
    made = with_ipv6(Lan())
    yield made
    made.close()


@pytest.fixture
async def api(ipv4_api: Collections) -> Collections:  # noqa: F811
    ipv4_api.put(ADDRESS_POOLS, POOL)
    return ipv4_api


@pytest.fixture
def pods(api: Collections, config: EngineConfig) -> Iterator[list[Pod]]:
    made = [Pod(config, "one"), Pod(config, "two")]
    yield made
    for pod in made:
        pod.close()


def gone(lan: Lan) -> Callable[[str], bool]:
    """Whether nobody answers any more, from the next question on."""

    def holds(answer: str) -> bool:
        lan.run("ip", "neighbour", "flush", "all")
        return answer.startswith("failed")

    return holds


async def test_an_address_is_found_by_ndp_and_leads_to_the_pods(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced())
        api.put(ENDPOINT_SLICES, endpoints("IPv6", pods[0].addresses[1]))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == f"one {CLIENT}")
        assert lan.fetch(ADDRESS, 53, "udp") == f"one {CLIENT}"
        assert lan.neighbour(ADDRESS) == lan.hardware
        assert name_in(call(ADDRESS, 80)) == "one", "from the host"
        assert name_in(pods[0].fetch(ADDRESS, 80)) == "one", "from the pod itself"
        said = f'announcing {ADDRESS} from node "here" with protocol "layer2" on lan0'
        await until(lambda: said in events.of("nodeAssigned"))  # said when all of it is done: the kernel answers before
        assert ADDRESS not in own_addresses(), "it can be given out"
        api.remove(SERVICES, "web")
        await eventually(lambda: lan.fetch(ADDRESS, 80), gone(lan))  # by the proxy's rules, perhaps before ours
        await until(lambda: Announcement(ADDRESS, "lan0") not in _there())


async def test_only_the_service_is_reached_there_and_nothing_is_sent_from_there(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    async with Announcing(config, api):
        api.put(SERVICES, balanced())
        api.put(ENDPOINT_SLICES, endpoints("IPv6", pods[0].addresses[1]))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == f"one {CLIENT}")
        with host_server("everywhere"):
            assert lan.fetch(HOST, 8080).startswith("everywhere")
            assert lan.fetch(ADDRESS, 8080) == "failed ConnectionRefusedError", "it is no address of the host"
            assert call(ADDRESS, 8080) == "failed ConnectionRefusedError"
        assert name_in(lan.fetch(HOST, 30080)) == "one"
        assert lan.fetch(ADDRESS, 30080) == "failed ConnectionRefusedError", "nor of its node ports"
        source = subprocess.run(["ip", "-6", "route", "get", CLIENT], capture_output=True, text=True, check=True).stdout
        assert f"src {HOST} " in source


async def test_neighbours_who_ask_again_are_answered(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    """They ask at the address itself, where everything else that is not for the Service is refused."""
    async with Announcing(config, api):
        api.put(SERVICES, balanced())
        api.put(L2_ADVERTISEMENTS, advertisement())
        await until(lambda: Announcement(ADDRESS, "lan0") in _there())
        lan.run("ip", "neighbour", "replace", ADDRESS, "lladdr", lan.hardware, "dev", "eth0", "nud", "probe")
        await until(lambda: "REACHABLE" in lan.run("ip", "neighbour", "show", ADDRESS))


async def test_both_addresses_of_a_service_are_announced(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    async with Announcing(config, api):
        api.put(SERVICES, balanced("198.51.100.50", ADDRESS))
        for number, family in enumerate(("IPv4", "IPv6")):
            api.put(ENDPOINT_SLICES, endpoints(family, pods[0].addresses[number]))
        api.put(L2_ADVERTISEMENTS, advertisement())
        for address in ("198.51.100.50", ADDRESS):
            await eventually(lambda address=address: lan.fetch(address, 80), _is_one)  # type: ignore[misc]


async def test_an_address_is_announced_on_the_named_interface_only(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    other = with_ipv6(Lan("lan1", "192.0.2.1", "192.0.2.9"), "2001:db8:3::1", "2001:db8:3::9")
    address = "2001:db8:2::7"
    for end in (lan, other):
        end.run("ip", "route", "add", "2001:db8:2::/64", "dev", "eth0")
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced(address))
        api.put(ENDPOINT_SLICES, endpoints("IPv6", pods[0].addresses[1]))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await until(lambda: "in the network of no interface" in events.of("NotAnnounced"))
        api.put(L2_ADVERTISEMENTS, advertisement(interfaces=["lan1"]))
        await eventually(lambda: other.fetch(address, 80), lambda answer: answer == "one 2001:db8:3::9")
        assert lan.fetch(address, 80) == "failed OSError"
        assert lan.neighbour(address) == ""
        api.put(L2_ADVERTISEMENTS, advertisement(interfaces=["lan0"]))
        await eventually(lambda: lan.fetch(address, 80), lambda answer: answer == f"one {CLIENT}")
        await eventually(lambda: other.fetch(address, 80), gone(other))
    other.close()


@pytest.mark.parametrize("how", [(), ("preferred_lft", "0")])
async def test_an_address_that_somebody_else_has_is_left_to_them(
    api: Collections,
    pods: list[Pod],
    lan: Lan,
    config: EngineConfig,
    monkeypatch: pytest.MonkeyPatch,
    how: tuple[str, ...],
) -> None:
    """Who has it as their own, and who announces it as we do."""
    monkeypatch.setattr("skerry.engine.network.announcing.announcer._LOOK_AGAIN", 0.05)
    lan.run("ip", "address", "add", f"{ADDRESS}/128", "dev", "eth0", "nodad", *how)
    theirs = json.loads(lan.run("ip", "-j", "link", "show", "eth0"))[0]["address"]
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced())
        api.put(ENDPOINT_SLICES, endpoints("IPv6", pods[0].addresses[1]))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await until(lambda: f"{theirs} answers for it already" in events.of("AddressConflict"))
        assert Announcement(ADDRESS, "lan0") not in await in_kernel()
        lan.run("ip", "address", "del", f"{ADDRESS}/128", "dev", "eth0")
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == f"one {CLIENT}")


async def test_an_address_that_another_program_of_the_machine_announces_is_left_to_it(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    command = ["ip", "address", "add", f"{ADDRESS}/128", "dev", "lan0", "nodad", "preferred_lft", "0"]
    subprocess.run(command, check=True)
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced())
        api.put(L2_ADVERTISEMENTS, advertisement())
        await until(lambda: "a program of this machine answers for it already" in events.of("AddressConflict"))
        api.remove(SERVICES, "web")
        await until(lambda: f"{ADDRESS} dev lo" not in _shown("route"))
    assert Announcement(ADDRESS, "lan0") in await in_kernel()


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
    async with Announcing(config, api):
        api.put(SERVICES, balanced())
        api.put(ENDPOINT_SLICES, endpoints("IPv6", pods[0].addresses[1]))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == f"one {CLIENT}")
    lan.run("ip", "neighbour", "flush", "all")
    assert lan.fetch(ADDRESS, 80) == f"one {CLIENT}", "nobody but the kernel can have answered"
    async with Announcing(config, api) as events:
        api.put(SERVICES, balanced(OTHER))
        await eventually(lambda: lan.fetch(OTHER, 80), lambda answer: answer == f"one {CLIENT}")
        assert ADDRESS not in _shown("address") + _shown("route")
        assert "AddressConflict" not in dict(events.seen)
    await remove_network(config)
    assert OTHER not in _shown("address") + _shown("route")
    await remove_network(config)
    write_cni(config)  # for the pods, which are still there


async def test_pools_of_another_program_are_its_own(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig
) -> None:
    api.put(SERVICES, balanced())
    api.put(L2_ADVERTISEMENTS, advertisement())
    async with Announcing(config, api):
        await until(lambda: Announcement(ADDRESS, "lan0") in _there())
        api.put(CUSTOM_RESOURCE_DEFINITIONS, {"metadata": {"name": ADDRESS_POOLS.group_resource}})
        await until(lambda: Announcement(ADDRESS, "lan0") not in _there())


@pytest.mark.parametrize(
    ("ranges", "let_in"),
    [
        (["2001:db8:1::/64"], True),
        ([f"{CLIENT}/128", "198.51.100.0/24"], True),
        (["2001:db8:9::/64"], False),
        (["198.51.100.0/24"], False),
        (["::/0"], True),
    ],
)
async def test_source_ranges_let_in_only_those(
    api: Collections, pods: list[Pod], lan: Lan, config: EngineConfig, ranges: list[str], let_in: bool
) -> None:
    async with Announcing(config, api):
        api.put(SERVICES, balanced(loadBalancerSourceRanges=ranges))
        api.put(ENDPOINT_SLICES, endpoints("IPv6", pods[0].addresses[1]))
        api.put(L2_ADVERTISEMENTS, advertisement())
        await until(lambda: Announcement(ADDRESS, "lan0") in _there())
        await eventually(lambda: pods[1].fetch(VIRTUAL6, 80), _is_one)
        wanted = f"one {CLIENT}" if let_in else "failed TimeoutError"
        await eventually(lambda: lan.fetch(ADDRESS, 80), lambda answer: answer == wanted)
        assert name_in(lan.fetch(HOST, 30080)) == "one", "the node port is open to all"


def _is_one(answer: str) -> bool:
    return name_in(answer) == "one"


def _there() -> set[Announcement]:
    return {Announcement(ADDRESS, "lan0")} if f"{ADDRESS}/128" in _shown("address", "show", "dev", "lan0") else set()


def _shown(*words: str) -> str:
    return subprocess.run(["ip", "-6", *words], capture_output=True, text=True, check=True).stdout
