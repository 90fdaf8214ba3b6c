"""Services of type LoadBalancer on a real API: they get addresses, wait their turn, give them back."""

from __future__ import annotations

from typing import Any

from skerry.engine.controllers.context import HostNetwork
from skerry.kube.objects import Obj
from skerry.kube.resources import SERVICES
from tests.support.controllers import World, running_controllers

NODE = "127.0.0.1"


def service(name: str, *ports: int, **spec: Any) -> Obj:
    listed = [{"name": f"p{port}", "port": port} for port in ports or (80,)]
    return {"metadata": {"name": name}, "spec": {"type": "LoadBalancer", "ports": listed, **spec}}


def address(world: World, name: str) -> str:
    found = (world.get(SERVICES, name) or {})["status"]["loadBalancer"].get("ingress") or [{}]
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
