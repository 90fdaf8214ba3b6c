"""Cluster DNS in the path that pods take: service address, nftables, listener; and not from elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.instance import kernel_has_ipv6
from skerry.engine.network.cni import pod_gateway, write_cni
from skerry.engine.network.dns.cluster_server import PORT, ClusterDnsServer
from skerry.engine.network.host import remove_network, set_up_host
from skerry.engine.network.proxy import ServiceProxy
from skerry.kube.resources import ENDPOINTS, SERVICES
from tests.component.network.netns import Pod, call, host_server, own_network
from tests.support.controllers import World, running_controllers
from tests.support.waiting import eventually

pytestmark = pytest.mark.root

_ASK = """
import sys, dns.message, dns.query
how = {"udp": dns.query.udp, "tcp": dns.query.tcp}[sys.argv[1]]
reply = how(dns.message.make_query(sys.argv[3], sys.argv[5]), sys.argv[2], port=int(sys.argv[4]), timeout=5)
print(*(data for one in reply.answer for data in one))
"""


@pytest.fixture
def host() -> Iterator[None]:
    assert os.geteuid() == 0, "needs root"
    with own_network():
        yield


@asynccontextmanager
async def running_dns(**settings: Any) -> AsyncIterator[tuple[World, EngineConfig]]:
    """Everything between the API and the pods, but for the pods. `settings`: fields of the instance's configuration."""
    async with running_controllers(settings=settings) as world:
        config = world.context.config
        proxy = ServiceProxy(config, world.context.informers)
        await proxy.prepare()
        proxy.start()
        names = ClusterDnsServer(config, world.context.identity("kube-dns"))
        await names.start()
        try:
            yield world, config
        finally:
            await names.close()
            await proxy.close()
            await remove_network(config)


def asker(
    server: str, name: str, protocol: str = "udp", *, port: int = 53, prefix: Sequence[str] = (), kind: str = "A"
) -> Callable[[], str]:
    """Asks from the host, or from where `prefix` leads; the addresses, or ""."""
    command = [*prefix, sys.executable, "-c", _ASK, protocol, server, name, str(port), kind]
    return lambda: subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


async def until(ask: Callable[[], str], wanted: str) -> None:
    """Ask beside the event loop, which has to answer."""
    await asyncio.to_thread(eventually, lambda: ask() == wanted, f"the answer {wanted}")


async def test_pods_and_host_ask_at_the_service_address(host: None) -> None:
    async with running_dns() as (_, config):
        pod = Pod(config, "client")
        inside = ["nsenter", "--net", "--target", str(pod.process.pid)]
        try:
            first = "10.112.0.1"
            name = "kubernetes.default.svc.cluster.local"
            await until(asker(config.cluster_dns, name, prefix=inside), first)
            await until(asker(config.cluster_dns, name, "tcp", prefix=inside), first)
            await until(asker(config.cluster_dns, name), first)
        finally:
            pod.close()


@pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")
async def test_pods_of_two_families_ask_by_either_and_for_either(host: None) -> None:
    ranges = {"pod_cidr6": "fd73:6b72:7e57:1::/64", "service_cidr6": "fd73:6b72:7e57:2::/112"}
    async with running_dns(**ranges) as (world, config):
        write_cni(config)
        pod = Pod(config, "client")
        inside = ["nsenter", "--net", "--target", str(pod.process.pid)]
        try:
            addresses = config.cluster_dns_addresses
            assert addresses == ("10.112.0.10", "fd73:6b72:7e57:2::a")
            for server in addresses:
                for name in ("kube-dns.kube-system.svc.cluster.local", "ns.dns.cluster.local"):
                    for kind, answer in zip(("A", "AAAA"), addresses, strict=True):
                        await until(asker(server, name, prefix=inside, kind=kind), answer)
                        await until(asker(server, name, "tcp", kind=kind), answer)
            peer = f"{pod.addresses[1].replace(':', '-')}.default.pod.cluster.local"
            await until(asker(addresses[1], peer, prefix=inside, kind="AAAA"), pod.addresses[1])
            spec = (await world.client.get(SERVICES, "kube-dns", "kube-system"))["spec"]
            assert spec["ipFamilies"] == ["IPv4", "IPv6"]
        finally:
            pod.close()


@pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")
async def test_neighbours_do_not_reach_it_by_ipv6_either(host: None) -> None:
    ranges = {"pod_cidr6": "fd73:6b72:7e57:1::/64", "service_cidr6": "fd73:6b72:7e57:2::/112"}
    outside = Neighbour()
    try:
        async with running_dns(**ranges) as (_, config):
            name, gateway, address = "kubernetes.default.svc.cluster.local", "fd73:6b72:7e57:1::1", "2001:db8:1::1"
            subprocess.run(["ip", "address", "add", f"{address}/64", "dev", "cable", "nodad"], check=True)
            for words in ("address add 2001:db8:1::2/64 dev cable2 nodad", f"route add fd00::/8 via {address}"):
                subprocess.run([*outside.prefix, "ip", *words.split()], check=True)
            await until(asker(gateway, name, port=10053), "10.112.0.1")
            with host_server("open"):
                answer = await asyncio.to_thread(call, address, 8080, "tcp", outside.prefix)
                assert answer.startswith("open"), "the neighbour reaches the machine"
            for server, port in ((config.cluster_dns_addresses[1], 53), (gateway, 10053)):
                assert await asyncio.to_thread(asker(server, name, port=port, prefix=outside.prefix)) == ""
    finally:
        outside.close()


@pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")
async def test_one_address_that_cannot_be_had_leaves_nothing_listening(host: None) -> None:
    missing = "fd73:6b72:7e57:1::1"
    ranges = {"pod_cidr6": "fd73:6b72:7e57:1::/64", "service_cidr6": "fd73:6b72:7e57:2::/112"}
    async with running_controllers(settings=ranges) as world:
        config = world.context.config
        await set_up_host(config)
        subprocess.run(["ip", "address", "del", missing, "dev", "lo"], check=True)
        names = ClusterDnsServer(config, world.context.identity("kube-dns"))
        with pytest.raises(OSError):
            await names.start()
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as again:
                again.bind((pod_gateway(config), PORT))
        await remove_network(config)


async def test_the_service_comes_back_when_somebody_deletes_it(host: None) -> None:
    async with running_dns() as (world, _):
        for resource in (SERVICES, ENDPOINTS):
            await world.until(lambda resource=resource: world.get(resource, "kube-dns", "kube-system"), 60)  # type: ignore[misc]
        before = await world.client.get(SERVICES, "kube-dns", "kube-system")
        await world.client.delete(SERVICES, "kube-dns", "kube-system")

        def is_new() -> bool:
            now = world.get(SERVICES, "kube-dns", "kube-system")
            return now is not None and now["metadata"]["uid"] != before["metadata"]["uid"]

        await world.until(is_new, 60)


async def test_neighbours_of_the_machine_do_not_reach_it(host: None) -> None:
    outside = Neighbour()
    try:
        async with running_dns() as (_, config):
            name, gateway = "kubernetes.default.svc.cluster.local", "10.96.0.1"
            await until(asker(gateway, name, port=10053), "10.112.0.1")
            with host_server("open"):
                answer = await asyncio.to_thread(call, "192.0.2.1", 8080, "tcp", outside.prefix)
                assert answer.startswith("open"), "the neighbour reaches the machine"
            for server, port in ((config.cluster_dns, 53), (gateway, 10053)):
                assert await asyncio.to_thread(asker(server, name, port=port, prefix=outside.prefix)) == ""
    finally:
        outside.close()


class Neighbour:
    """Another machine on a cable to ours, which sends everything to us."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 600"], stdout=-1)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        pid = str(self._process.pid)
        self.prefix = ["nsenter", "--net", "--target", pid]
        ours = ["ip link add cable type veth peer name cable2 netns " + pid]
        ours += ["ip address add 192.0.2.1/24 dev cable", "ip link set cable up"]
        theirs = [
            "ip address add 192.0.2.2/24 dev cable2",
            "ip link set cable2 up",
            "ip route add default via 192.0.2.1",
        ]
        for command in ours:
            subprocess.run(command.split(), check=True)
        for command in theirs:
            subprocess.run([*self.prefix, *command.split()], check=True)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
