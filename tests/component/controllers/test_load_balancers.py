"""Services of type LoadBalancer on a real API: they get addresses, wait their turn, give them back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.engine.controllers.context import NO_HOST, HostNetwork
from skerry.engine.controllers.loadbalancer.controller import LoadBalancerController
from skerry.engine.definitions.installing import install
from skerry.engine.definitions.metallb import ADDRESS_POOLS, DEFINITIONS, L2_ADVERTISEMENTS
from skerry.engine.definitions.notation import custom_resource_definition
from skerry.engine.network.bandwidth.limits import Limits, limits_of
from skerry.kube.errors import Invalid
from skerry.kube.objects import Obj
from skerry.kube.resources import NAMESPACES, PODS, SERVICES
from tests.support.controllers import World, running_controllers
from tests.support.definitions import define

NODE = "127.0.0.1"


def service(name: str, *ports: int, **spec: Any) -> Obj:
    listed = [{"name": f"p{port}", "port": port} for port in ports or (80,)]
    return {"metadata": {"name": name}, "spec": {"type": "LoadBalancer", "ports": listed, **spec}}


def address(world: World, name: str, namespace: str = "default") -> str:
    found = (world.get(SERVICES, name, namespace) or {})["status"]["loadBalancer"].get("ingress") or [{}]
    return str(found[0].get("ip", ""))


async def test_the_nodes_address_goes_to_the_first_and_then_to_the_next() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICES, service("first"), "default")
        await world.until(lambda: address(world, "first") == NODE)
        await world.client.create(SERVICES, service("second"), "default")
        await world.until(lambda: world.events("AllocationFailed"))
        assert "port 80/TCP of the node's address 127.0.0.1 is taken by Service default/first" in "".join(
            world.events("AllocationFailed")
        )
        assert address(world, "second") == ""
        await world.client.delete(SERVICES, "first", "default")
        await world.until(lambda: address(world, "second") == NODE)
        await world.settle()
        assert sorted(world.events("IPAllocated")) == ['Assigned IP ["127.0.0.1"]'] * 2


async def test_an_address_is_given_back_when_the_type_changes() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICES, service("web"), "default")
        await world.until(lambda: address(world, "web"))
        await world.client.patch(SERVICES, "web", {"spec": {"type": "ClusterIP"}}, "default")
        await world.until(lambda: not address(world, "web"))


async def test_a_port_that_a_program_of_the_machine_has_is_not_given_away() -> None:
    host = HostNetwork(is_taken=lambda protocol, port: (protocol, port) == ("TCP", 80))
    async with running_controllers(host=host) as world:
        await world.client.create(SERVICES, service("web"), "default")
        await world.client.create(SERVICES, service("other", 8080), "default")
        await world.until(lambda: address(world, "other"))
        await world.until(lambda: world.events("AllocationFailed"))
        await world.settle()
        (said,) = world.events("AllocationFailed")
        assert "port 80/TCP" in said
        assert "a program of this machine" in said
        assert address(world, "web") == ""


async def test_services_of_another_class_are_left_alone() -> None:
    async with running_controllers() as world:
        await world.client.create(SERVICES, service("theirs", loadBalancerClass="example.com/other"), "default")
        await world.client.create(SERVICES, service("ours"), "default")
        await world.until(lambda: address(world, "ours"))
        await world.settle()
        assert address(world, "theirs") == ""


POOL: Obj = {
    "metadata": {"name": "public", "namespace": "kube-system"},
    "spec": {"addresses": ["198.51.100.5-198.51.100.6"]},
}


@asynccontextmanager
async def pools(host: HostNetwork = NO_HOST, **how: Any) -> AsyncIterator[World]:
    """Controllers where the kinds of pools are served."""
    async with running_controllers(host=host, **how) as world:
        await install(world.client, DEFINITIONS)
        await world.until(lambda: world.context.informers.of(ADDRESS_POOLS).revision)
        yield world


def counts(world: World) -> tuple[int, int]:
    status = (world.get(ADDRESS_POOLS, "public", "kube-system") or {}).get("status") or {}
    return status["assignedIPv4"], status["availableIPv4"]


async def test_addresses_come_from_a_pool_and_go_back_there() -> None:
    async with pools() as world:
        await world.client.create(ADDRESS_POOLS, POOL, "kube-system")
        await world.until(lambda: counts(world) == (0, 2))
        for name in ("one", "two", "three"):
            await world.client.create(SERVICES, service(name), "default")
            await world.until(lambda name=name: address(world, name) or name == "three")  # type: ignore[misc]
        assert {address(world, name) for name in ("one", "two")} == {"198.51.100.5", "198.51.100.6"}
        await world.until(lambda: counts(world) == (2, 0))
        await world.until(lambda: "no available IPs in kube-system/public" in "".join(world.events("AllocationFailed")))
        await world.client.delete(SERVICES, "one", "default")
        await world.until(lambda: address(world, "three"))
        await world.until(lambda: counts(world) == (2, 0))


async def test_a_pool_takes_over_from_the_node_and_gives_back_to_it() -> None:
    async with pools() as world:
        await world.client.create(SERVICES, service("web"), "default")
        await world.until(lambda: address(world, "web") == NODE)
        await world.client.create(ADDRESS_POOLS, POOL, "kube-system")
        await world.until(lambda: address(world, "web") == "198.51.100.5")
        await world.client.delete(ADDRESS_POOLS, "public", "kube-system")
        await world.until(lambda: address(world, "web") == NODE)


async def test_a_restart_changes_nothing() -> None:
    """What is given out is in the statuses: another controller over the same objects comes to the same."""
    async with pools() as world:
        await world.client.create(ADDRESS_POOLS, POOL, "kube-system")
        await world.client.create(SERVICES, service("first"), "default")
        await world.until(lambda: address(world, "first") == "198.51.100.5")
        await world.client.create(SERVICES, service("second"), "default")
        await world.until(lambda: address(world, "second") == "198.51.100.6")
        await world.client.delete(SERVICES, "first", "default")
        await world.until(lambda: counts(world) == (1, 1))
        ours = next(one for one in world.controllers if isinstance(one, LoadBalancerController))
        await ours.close()
        await world.client.create(SERVICES, service("third"), "default")
        again = LoadBalancerController(world.context.acting_as("service-controller"))
        again.start()
        await world.until(lambda: address(world, "third") == "198.51.100.5")
        assert address(world, "second") == "198.51.100.6"
        await again.close()


async def test_pools_that_are_wrong_say_so() -> None:
    host = HostNetwork(addresses=lambda: frozenset({"198.51.100.5"}))
    async with pools(host) as world:
        bad = {"metadata": {"name": "bad"}, "spec": {"addresses": ["198.51.100.7 to 198.51.100.9"]}}
        with pytest.raises(Invalid, match="addresses must be networks"):
            await world.client.create(ADDRESS_POOLS, bad, "kube-system")
        await world.client.create(ADDRESS_POOLS, POOL, "kube-system")
        await world.until(lambda: counts(world) == (0, 1))
        wrong = {"metadata": {"name": "wrong"}, "spec": {"addresses": ["10.112.0.0/24", "198.51.100.6/32"]}}
        await world.client.create(ADDRESS_POOLS, wrong, "kube-system")
        await world.until(lambda: world.events("InvalidPool"))
        (said,) = world.events("InvalidPool")
        assert "10.112.0.0-10.112.0.255: such addresses are not given out" in said
        assert "198.51.100.6 belong to the elder IPAddressPool kube-system/public" in said


async def test_an_external_ip_of_another_service_is_not_given_out() -> None:
    async with pools() as world:
        other = service("other", type="ClusterIP", externalIPs=["198.51.100.5"])
        await world.client.create(SERVICES, other, "default")
        await world.client.create(ADDRESS_POOLS, POOL, "kube-system")
        await world.client.create(SERVICES, service("web"), "default")
        await world.until(lambda: address(world, "web") == "198.51.100.6")
        await world.client.create(SERVICES, service("named", loadBalancerIP="198.51.100.5"), "default")
        said = "198.51.100.5 is an external IP of Service default/other"
        await world.until(lambda: said in "".join(world.events("AllocationFailed")))


async def test_where_somebody_elses_pools_are_defined_ours_rests() -> None:
    theirs = custom_resource_definition(next(one for one in DEFINITIONS if one.resource is ADDRESS_POOLS))
    async with running_controllers() as world:
        await define(world.client, theirs)
        await world.until(lambda: world.context.informers.of(ADDRESS_POOLS).revision)
        await world.client.create(ADDRESS_POOLS, POOL, "kube-system")
        await world.client.create(SERVICES, service("web"), "default")
        await world.settle()
        assert address(world, "web") == ""


DUAL = {
    "pod_cidr6": "fd73:6b72:7e57:1::/64",
    "service_cidr6": "fd73:6b72:7e57:2::/112",
    "node_ip6": "2001:db8::10",
}


def addresses(world: World, name: str) -> list[str]:
    found = (world.get(SERVICES, name, "default") or {})["status"]["loadBalancer"].get("ingress") or []
    return [one["ip"] for one in found]


async def test_a_dual_stack_service_has_an_address_of_each_family() -> None:
    """The node's, then those of a pool that has both; who goes back to one family gives the other back."""
    async with running_controllers(settings=DUAL) as world:
        await install(world.client, DEFINITIONS)
        await world.client.create(SERVICES, service("web", ipFamilyPolicy="PreferDualStack"), "default")
        await world.until(lambda: addresses(world, "web") == [NODE, "2001:db8::10"])
        await world.until(lambda: world.context.informers.of(ADDRESS_POOLS).revision)
        mixed = {**POOL, "spec": {"addresses": ["198.51.100.5/32", "2001:db8:5::/64"]}}
        await world.client.create(ADDRESS_POOLS, mixed, "kube-system")
        await world.until(lambda: addresses(world, "web") == ["198.51.100.5", "2001:db8:5::1"])
        await world.until(lambda: counts(world) == (1, 0))
        status = (world.get(ADDRESS_POOLS, "public", "kube-system") or {})["status"]
        assert (status["assignedIPv6"], status["availableIPv6"]) == (1, 2**63 - 1)
        single = {"spec": {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}}
        await world.client.patch(SERVICES, "web", single, "default")
        await world.until(lambda: addresses(world, "web") == ["198.51.100.5"])


async def test_the_documentations_manifests_do_what_it_says() -> None:
    page = (Path(__file__).parents[3] / "docs/resources/loadbalancer.md").read_text()
    blocks = [list(yaml.safe_load_all(text)) for text in re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)]
    (web,), declared, (both,), (dns,), (pod,) = blocks
    async with pools(settings=DUAL) as world:
        await world.client.create(SERVICES, web, "default")
        await world.until(lambda: address(world, "web") == NODE)
        for one in declared:
            resource = next(each for each in (ADDRESS_POOLS, L2_ADVERTISEMENTS) if each.kind == one["kind"])
            await world.client.create(resource, one, "kube-system")
        await world.until(lambda: address(world, "web") == "198.51.100.16")
        await world.client.create(SERVICES, both, "default")
        await world.until(lambda: addresses(world, "both") == ["198.51.100.17", "2001:db8:0:10::1"])
        await world.client.create(SERVICES, dns, "default")
        await world.until(lambda: address(world, "dns") == "198.51.100.45")
        await world.client.create(NAMESPACES, {"metadata": {"name": "course"}})
        await world.client.create(SERVICES, service("lesson"), "course")
        await world.until(lambda: address(world, "lesson", "course") == "198.51.100.100")
        assert limits_of(pod) == Limits(ingress=100_000_000, egress=10_000_000)
        await world.client.create(PODS, pod, "default")
