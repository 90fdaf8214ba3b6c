"""A dual-stack instance with real packets: pods have both addresses at once, Services lead where their family says."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.instance import kernel_has_ipv6
from skerry.engine.network.cni import pod_gateways, write_cni
from skerry.engine.network.host import remove_network, set_up_host, tables_there
from skerry.kube.resources import ENDPOINT_SLICES, PODS, SERVICES
from tests.component.network.conftest import make_config
from tests.component.network.netns import Pod, call, host_server
from tests.support.collections import Collections
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")]

VIRTUAL, VIRTUAL6 = "10.65.0.20", "fd73:6b72:c000:2::20"
_DETECTION = 1.0  # seconds that duplicate address detection takes at least


@pytest.fixture
def config(tmp_path: Path, host: None) -> EngineConfig:
    ranges = {"pod_cidr6": "fd73:6b72:c000:1::/64", "service_cidr6": "fd73:6b72:c000:2::/112"}
    dual = replace(make_config(tmp_path), **ranges)
    write_cni(dual)
    return dual


@pytest.fixture
def pods(api: Collections, config: EngineConfig) -> Iterator[list[Pod]]:
    made = [Pod(config, "one"), Pod(config, "two")]
    yield made
    for pod in made:
        pod.close()


def service(**spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}]
    ports.append({"name": "query", "port": 53, "protocol": "UDP", "nodePort": 30053})
    addresses = {"clusterIP": VIRTUAL, "clusterIPs": [VIRTUAL, VIRTUAL6], "ipFamilies": ["IPv4", "IPv6"]}
    metadata = {"name": "web", "namespace": "default"}
    return {"metadata": metadata, "spec": {"type": "NodePort", "ports": ports, **addresses, **spec}}


def endpoints(family: str, *addresses: str) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "web"}
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}, {"name": "query", "port": 8080, "protocol": "UDP"}]
    return {
        "metadata": {"name": f"web-{family.lower()}", "namespace": "default", "labels": labels},
        "addressType": family,
        "ports": ports,
        "endpoints": [{"addresses": [one], "conditions": {"ready": True}} for one in addresses],
    }


async def eventually(ask: Callable[[], str], wanted: Callable[[str], bool]) -> str:
    async def as_wanted() -> str:
        answer = await asyncio.to_thread(ask)
        assert wanted(answer), answer
        return answer

    return await until(as_wanted, "the wanted answer")


def name_in(answer: str) -> str:
    return answer.partition(" ")[0]


async def test_servers_listen_at_the_pods_gateway_as_soon_as_it_is_there(config: EngineConfig) -> None:
    await set_up_host(config)
    gateway = pod_gateways(config)[1]
    shown = subprocess.run(["ip", "-j", "-6", "address", "show", "dev", "lo"], capture_output=True, check=True).stdout
    flags = next(one for link in json.loads(shown) for one in link["addr_info"] if one["local"] == gateway)
    assert flags.get("nodad"), "it would be tentative until the kernel's work queue runs"
    with socket.create_server((gateway, 10053), family=socket.AF_INET6):
        pass
    await remove_network(config)


async def test_pods_reach_each_other_and_services_by_both_families(api: Collections, pods: list[Pod]) -> None:
    one, two = pods
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints("IPv4", one.addresses[0]))
    api.put(ENDPOINT_SLICES, endpoints("IPv6", one.addresses[1], two.addresses[1]))
    assert one.fetch(two.addresses[1], 8080) == f"two {one.addresses[1]}"
    await eventually(lambda: call(VIRTUAL6, 80), lambda answer: name_in(answer) in ("one", "two"))
    await eventually(lambda: call(VIRTUAL, 80), lambda answer: name_in(answer) == "one")
    assert {name_in(call(VIRTUAL6, 80)) for _ in range(20)} == {"one", "two"}
    assert {name_in(one.fetch(VIRTUAL6, 80)) for _ in range(20)} == {"one", "two"}, "including itself"
    assert {name_in(one.fetch(VIRTUAL6, 53, "udp")) for _ in range(20)} == {"one", "two"}
    assert {name_in(call(VIRTUAL, 80)) for _ in range(10)} == {"one"}


async def test_affinity_and_refusal_hold_in_the_second_family(api: Collections, pods: list[Pod]) -> None:
    one, two = pods
    api.put(SERVICES, service(sessionAffinity="ClientIP"))
    await eventually(lambda: call(VIRTUAL6, 80), lambda answer: answer == "failed ConnectionRefusedError")
    assert one.fetch("fd73:6b72:c000:2::9999", 80) == "failed ConnectionRefusedError"
    api.put(ENDPOINT_SLICES, endpoints("IPv6", one.addresses[1], two.addresses[1]))
    first = await eventually(lambda: one.fetch(VIRTUAL6, 80), lambda answer: name_in(answer) in ("one", "two"))
    assert {name_in(one.fetch(VIRTUAL6, 80)) for _ in range(15)} == {name_in(first)}


async def test_node_ports_and_host_ports_answer_at_the_machines_ipv6_address(
    api: Collections, pods: list[Pod], config: EngineConfig
) -> None:
    one = pods[0]
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints("IPv6", one.addresses[1]))
    ports = [{"containerPort": 8080, "hostPort": 8888}]
    status = {"phase": "Running", "podIP": one.addresses[0], "podIPs": [{"ip": ip} for ip in one.addresses]}
    metadata = {"name": "one", "namespace": "default"}
    api.put(PODS, {"metadata": metadata, "spec": {"containers": [{"ports": ports}]}, "status": status})
    gateway = "fd73:6b72:c000:1::1"
    await eventually(lambda: call(gateway, 30080), lambda answer: name_in(answer) == "one")
    await eventually(lambda: call(gateway, 8888), lambda answer: name_in(answer) == "one")
    assert name_in(pods[1].fetch(gateway, 30080)) == "one"


async def test_node_ports_and_host_ports_answer_at_the_ipv6_loopback_address(api: Collections, pods: list[Pod]) -> None:
    one, two = pods
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints("IPv6", one.addresses[1], two.addresses[1]))
    ports = [{"containerPort": 8080, "hostPort": 8888, "hostIP": "::1"}]
    status = {"phase": "Running", "podIP": one.addresses[0], "podIPs": [{"ip": ip} for ip in one.addresses]}
    metadata = {"name": "one", "namespace": "default"}
    api.put(PODS, {"metadata": metadata, "spec": {"containers": [{"ports": ports}]}, "status": status})
    await eventually(lambda: call("::1", 30080), lambda answer: name_in(answer) in ("one", "two"))
    assert {name_in(call("::1", 30080)) for _ in range(20)} == {"one", "two"}
    assert {name_in(call("::1", 30053, "udp")) for _ in range(20)} == {"one", "two"}
    await eventually(lambda: call("::1", 8888), lambda answer: name_in(answer) == "one")
    with host_server("everywhere"):
        assert call("::1", 8080).startswith("everywhere "), "what programs serve there stays theirs"


async def test_a_pod_behind_a_node_port_does_not_reach_the_hosts_loopback_address(
    api: Collections, pods: list[Pod]
) -> None:
    """Though there is a route to it on the interface of the pod."""
    one = pods[0]
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints("IPv6", one.addresses[1]))
    await eventually(lambda: call("::1", 30080), lambda answer: name_in(answer) == "one")
    script = """
        ip -6 route del local ::1 dev lo table local; ip -6 address del ::1/128 dev lo
        ip -6 route add ::1/128 via fd73:6b72:c000:1::1 dev eth0"""
    subprocess.run([*one.inside, "sh", "-c", script], check=False, capture_output=True)
    with host_server("host"):
        assert call("::1", 8080).startswith("host ")
        assert one.fetch("::1", 8080, patience=2).startswith("failed")


def test_a_pod_need_not_wait_until_its_address_is_known_to_be_its_own(config: EngineConfig) -> None:
    begun = time.monotonic()
    pod = Pod(config, "quick")
    attached = time.monotonic() - begun
    try:
        shown = subprocess.run(["ip", "-6", "address", "show", "tentative"], capture_output=True, text=True, check=True)
        assert shown.stdout == "", "the host's end can be used at once"
        inside = [*pod.inside, "ip", "-6", "address", "show", "tentative"]
        assert subprocess.run(inside, capture_output=True, text=True, check=True).stdout == ""
        assert call(pod.addresses[1], 8080).startswith("quick "), attached
    finally:
        pod.close()


async def test_everything_is_taken_back(api: Collections, config: EngineConfig) -> None:
    assert {"inet skerry-c000", "ip6 skerry-c000"} <= await tables_there()
    await remove_network(config)
    assert not {"inet skerry-c000", "ip6 skerry-c000"} & await tables_there()
    left = subprocess.run(["ip", "-6", "route", "show", "table", "all"], capture_output=True, text=True, check=True)
    assert "fd73:6b72" not in left.stdout
