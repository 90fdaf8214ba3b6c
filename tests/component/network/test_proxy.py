"""Services with real packets: pods attached by the real CNI plug-ins, rules loaded by the real nft."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.network.family import families_of
from skerry.engine.network.host import remove_network, table_exists
from skerry.engine.network.proxy import ServiceProxy
from skerry.kube.informer import Informers
from skerry.kube.resources import ENDPOINT_SLICES, PODS, SERVICES
from tests.component.network.conftest import make_config
from tests.component.network.netns import Pod, call, host_server, sysctl
from tests.support.collections import Collections
from tests.support.waiting import until

pytestmark = pytest.mark.root

VIRTUAL = "10.65.0.20"


def service(name: str = "web", address: str = VIRTUAL, **spec: Any) -> dict[str, Any]:
    ports = [
        {"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080},
        {"name": "query", "port": 53, "protocol": "UDP", "nodePort": 30053},
    ]
    spec = {"type": "NodePort", "clusterIP": address, "clusterIPs": [address], "ports": ports, **spec}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def endpoints(*addresses: str, service: str = "web") -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{service}-1",
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": [
            {"name": "http", "port": 8080, "protocol": "TCP"},
            {"name": "query", "port": 8080, "protocol": "UDP"},
        ],
        "endpoints": [{"addresses": [one], "conditions": {"ready": True}} for one in addresses],
    }


async def eventually(ask: Callable[[], str], wanted: Callable[[str], bool]) -> str:
    """Ask until the answer is the wanted one; rules follow the API within some 20 ms."""

    async def as_wanted() -> str:
        answer = await asyncio.to_thread(ask)
        assert wanted(answer), f"{answer!r}\n{_rules()}"
        return answer

    return await until(as_wanted, "the wanted answer")


def _rules() -> str:
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout


def name_in(answer: str) -> str:
    return answer.partition(" ")[0]


async def test_a_cluster_ip_reaches_all_endpoints_from_host_and_pods(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints(*(pod.address for pod in pods)))
    await eventually(lambda: call(VIRTUAL, 80), lambda answer: name_in(answer) in ("one", "two"))
    assert {name_in(call(VIRTUAL, 80)) for _ in range(20)} == {"one", "two"}
    assert {name_in(pods[0].fetch(VIRTUAL, 80)) for _ in range(20)} == {"one", "two"}, "including itself"
    assert {name_in(pods[0].fetch(VIRTUAL, 53, "udp")) for _ in range(20)} == {"one", "two"}


async def test_pods_see_who_calls(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints(pods[1].address))
    answer = await eventually(lambda: pods[0].fetch(VIRTUAL, 80), lambda answer: name_in(answer) == "two")
    assert answer == f"two {pods[0].address}"


async def test_node_ports_answer_on_loopback_only_where_they_are_ours(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
    await eventually(lambda: call("127.0.0.1", 30080), lambda answer: answer == "one 10.64.0.1")
    assert name_in(call("127.0.0.1", 30053, "udp")) == "one"
    assert name_in(call("10.64.0.1", 30080)) == "one", "any address of the host"
    assert name_in(pods[1].fetch("10.64.0.1", 30080)) == "one", "from pods as well"
    assert call("127.0.0.2", 30080) == "failed ConnectionRefusedError", "that is the second instance's"


async def test_a_pod_cannot_reach_the_hosts_loopback(api: Collections, pods: list[Pod]) -> None:
    """`route_localnet` is on for the pod's interface once it is exposed; the guard must make up for it."""
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
    await eventually(lambda: call("127.0.0.1", 30080), lambda answer: name_in(answer) == "one")
    with host_server("secret"):
        pods[0].route_loopback_to_host()
        assert pods[0].fetch("127.0.0.1", 8080).startswith("failed")
        subprocess.run(["nft", "flush", "chain", "inet", "skerry-c000", "guard"], check=True)
        assert name_in(pods[0].fetch("127.0.0.1", 8080)) == "secret", "it is the guard that stops this"


async def test_a_service_without_endpoints_refuses_at_once(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service())
    await eventually(lambda: call("127.0.0.1", 30080), lambda answer: answer == "failed ConnectionRefusedError")
    assert call(VIRTUAL, 80) == "failed ConnectionRefusedError"
    assert pods[0].fetch(VIRTUAL, 80) == "failed ConnectionRefusedError"
    assert pods[0].fetch("10.65.99.99", 80) == "failed ConnectionRefusedError", "no virtual address leaves the host"


async def test_rules_follow_endpoints_and_deletion(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
    await eventually(lambda: call(VIRTUAL, 53, "udp"), lambda answer: name_in(answer) == "one")
    api.put(ENDPOINT_SLICES, endpoints(pods[1].address))
    await eventually(lambda: call(VIRTUAL, 53, "udp"), lambda answer: name_in(answer) == "two")
    api.remove(SERVICES, "web")
    await eventually(lambda: call(VIRTUAL, 80), lambda answer: answer == "failed ConnectionRefusedError")


async def test_client_affinity_keeps_a_client_with_its_backend(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service(sessionAffinity="ClientIP"))
    api.put(ENDPOINT_SLICES, endpoints(*(pod.address for pod in pods)))
    first = await eventually(lambda: pods[0].fetch(VIRTUAL, 80), lambda answer: name_in(answer) in ("one", "two"))
    assert {name_in(pods[0].fetch(VIRTUAL, 80)) for _ in range(15)} == {name_in(first)}


async def test_affinity_ends_some_time_after_the_last_connection(api: Collections, pods: list[Pod]) -> None:
    config = {"clientIP": {"timeoutSeconds": 1}}
    api.put(SERVICES, service(sessionAffinity="ClientIP", sessionAffinityConfig=config))
    api.put(ENDPOINT_SLICES, endpoints(*(pod.address for pod in pods)))
    await eventually(lambda: pods[0].fetch(VIRTUAL, 80), lambda answer: name_in(answer) in ("one", "two"))
    seen: set[str] = set()

    def after_a_pause() -> str:
        time.sleep(1.3)  # the time is what is tested: until it is over the client stays
        seen.add(name_in(pods[0].fetch(VIRTUAL, 80)))
        return str(len(seen))

    await eventually(after_a_pause, lambda count: count == "2")


async def test_affinity_survives_changes_of_other_services(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service(sessionAffinity="ClientIP"))
    api.put(ENDPOINT_SLICES, endpoints(*(pod.address for pod in pods)))
    first = await eventually(lambda: pods[0].fetch(VIRTUAL, 80), lambda answer: name_in(answer) in ("one", "two"))
    for number in range(4):
        other = f"10.65.0.{30 + number}"
        api.put(SERVICES, service(f"other{number}", other, type="ClusterIP"))
        api.put(ENDPOINT_SLICES, endpoints(pods[0].address, service=f"other{number}"))
        await eventually(lambda other=other: call(other, 80), lambda answer: name_in(answer) == "one")  # type: ignore[misc]
        assert pods[0].fetch(VIRTUAL, 80) == first


async def test_an_external_address_leads_to_the_service(api: Collections, pods: list[Pod]) -> None:
    api.put(SERVICES, service(externalIPs=["203.0.113.9"]))
    api.put(ENDPOINT_SLICES, endpoints(pods[1].address))
    await eventually(lambda: pods[0].fetch("203.0.113.9", 80), lambda answer: name_in(answer) == "two")


async def test_a_client_that_keeps_sending_datagrams_is_moved_from_a_lost_endpoint(
    api: Collections, pods: list[Pod]
) -> None:
    """Always from the same port, so that connection tracking sees one flow; at the cluster's and the node's port."""
    api.put(SERVICES, service())
    for to, port in ((VIRTUAL, 53), ("10.64.0.1", 30053)):
        api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
        flow = f"{to}:{port}:4567"
        await eventually(lambda flow=flow: datagram(flow), lambda answer: name_in(answer) == "one")  # type: ignore[misc]
        api.put(ENDPOINT_SLICES, endpoints(pods[1].address))
        await eventually(lambda flow=flow: datagram(flow), lambda answer: name_in(answer) == "two")  # type: ignore[misc]


def datagram(flow: str) -> str:
    """What a datagram to "address:port" from "port" is answered."""
    address, port, source = flow.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.settimeout(0.5)
        client.bind(("0.0.0.0", int(source)))
        try:
            client.sendto(b"?", (address, int(port)))
            return client.recv(100).decode()
        except OSError as error:
            return f"failed {type(error).__name__}"


async def test_a_pods_host_port(api: Collections, pods: list[Pod]) -> None:
    ports = [
        {"containerPort": 8080, "hostPort": 8088},
        {"containerPort": 8080, "hostPort": 8089, "hostIP": "127.0.0.1"},
    ]
    api.put(
        PODS,
        {
            "metadata": {"name": "one", "namespace": "default"},
            "spec": {"containers": [{"name": "main", "ports": ports}]},
            "status": {"phase": "Running", "podIP": pods[0].address},
        },
    )
    await eventually(lambda: call("127.0.0.1", 8088), lambda answer: name_in(answer) == "one")
    assert name_in(call("10.64.0.1", 8088)) == "one"
    assert name_in(call("127.0.0.1", 8089)) == "one"
    assert call("10.64.0.1", 8089) == "failed ConnectionRefusedError"


async def test_a_host_port_of_the_loopback_address_alone(api: Collections, pods: list[Pod]) -> None:
    ports = [{"containerPort": 8080, "hostPort": 8089, "hostIP": "127.0.0.1"}]
    spec = {"containers": [{"name": "main", "ports": ports}]}
    status = {"phase": "Running", "podIP": pods[0].address}
    api.put(PODS, {"metadata": {"name": "one", "namespace": "default"}, "spec": spec, "status": status})
    await eventually(lambda: call("127.0.0.1", 8089), lambda answer: name_in(answer) == "one")


async def test_the_table_comes_back_when_somebody_flushes_it(
    api: Collections, pods: list[Pod], monkeypatch: pytest.MonkeyPatch, config: EngineConfig
) -> None:
    monkeypatch.setattr("skerry.engine.network.proxy._VERIFY", 0.05)
    api.put(SERVICES, service())
    api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
    await eventually(lambda: call(VIRTUAL, 80), lambda answer: name_in(answer) == "one")
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    await eventually(lambda: call(VIRTUAL, 80), lambda answer: name_in(answer) == "one")


async def test_two_instances_share_a_host(tmp_path: Path, host: None) -> None:
    answers = {}
    for index in (0, 1):
        config = make_config(tmp_path, index)
        collections = Collections()
        informers = Informers(collections)  # type: ignore[arg-type]
        proxy = ServiceProxy(config, informers)
        await proxy.prepare()
        pod = Pod(config, f"pod{index}")
        collections.put(SERVICES, service(address=f"10.{65 + 2 * index}.0.20"))
        collections.put(ENDPOINT_SLICES, endpoints(pod.address))
        await informers.start()
        proxy.start()
        answers[index] = (config, pod, proxy, informers)
    for index in (0, 1):
        await eventually(
            lambda index=index: call(f"127.0.0.{index + 1}", 30080),  # type: ignore[misc]
            lambda answer, index=index: name_in(answer) == f"pod{index}",  # type: ignore[misc]
        )
    for config, pod, proxy, informers in answers.values():
        await proxy.close()
        await informers.close()
        await remove_network(config)
        assert not await table_exists(families_of(config)[0])
        if config.index == 0:
            assert name_in(call("127.0.0.2", 30080)) == "pod1", "the other instance goes on"
            assert sysctl("ip_forward").read_text() == "1\n"
        pod.process.kill()
        pod.process.wait()
        pod.process.stdout.close()  # type: ignore[union-attr]
    assert sysctl("ip_forward").read_text() == "0\n"


async def test_removal_after_a_crash_leaves_nothing_of_ours_and_all_of_others(config: EngineConfig) -> None:
    subprocess.run(["nft", "add", "table", "inet", "somebody"], check=True)
    subprocess.run(["ip", "link", "add", "other", "type", "veth", "peer", "name", "other2"], check=True)
    subprocess.run(["ip", "route", "add", "10.99.0.0/16", "dev", "lo"], check=True)
    links = set(os.listdir("/proc/sys/net/ipv4/conf"))
    informers = Informers(Collections())  # type: ignore[arg-type]
    await ServiceProxy(config, informers).prepare()
    pod = Pod(config, "stray")
    assert set(os.listdir("/proc/sys/net/ipv4/conf")) > links
    await remove_network(config)
    await remove_network(config)
    assert set(os.listdir("/proc/sys/net/ipv4/conf")) == links
    assert _rules().split() == ["table", "inet", "somebody", "{", "}"]
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert routes.split() == ["10.99.0.0/16", "dev", "lo", "scope", "link"]
    assert sysctl("ip_forward").read_text() == "0\n"
    pod.process.kill()
    pod.process.wait()
    pod.process.stdout.close()  # type: ignore[union-attr]
