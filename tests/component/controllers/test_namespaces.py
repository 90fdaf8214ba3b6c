"""Namespaces on a real API: what they are equipped with, and how they go."""

from __future__ import annotations

import pytest

from skerry.engine.controllers.namespace.controller import NamespaceController
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.resources import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, SECRETS, SERVICE_ACCOUNTS
from tests.component.controllers.deployments import deployment
from tests.support.controllers import World, running_controllers


async def make(world: World, name: str = "lab") -> None:
    await world.client.create(NAMESPACES, {"metadata": {"name": name}})
    await world.until(lambda: world.get(SERVICE_ACCOUNTS, "default", name))


def conditions(world: World) -> dict[str, Obj]:
    found = world.get(NAMESPACES, "lab") or {}
    return {one["type"]: one for one in (found.get("status") or {}).get("conditions") or ()}


async def test_every_namespace_is_equipped_and_stays_so() -> None:
    async with running_controllers() as world:
        await make(world)
        await world.until(lambda: world.context.informers.metadata_of(CONFIG_MAPS).get("kube-root-ca.crt", "lab"))
        published = await world.client.get(CONFIG_MAPS, "kube-root-ca.crt", "lab")
        assert published["data"] == {"ca.crt": world.context.root_ca.pem}
        await world.client.patch(CONFIG_MAPS, "kube-root-ca.crt", {"data": {"ca.crt": "forged"}}, "lab")
        await world.client.delete(SERVICE_ACCOUNTS, "default", "lab")
        await world.until(lambda: world.get(SERVICE_ACCOUNTS, "default", "lab"))
        await world.settle()
        assert (await world.client.get(CONFIG_MAPS, "kube-root-ca.crt", "lab"))["data"] == {
            "ca.crt": world.context.root_ca.pem
        }


async def test_a_namespace_goes_with_all_it_holds() -> None:
    async with running_controllers() as world:
        await make(world)
        app = deployment(replicas=5)
        app["metadata"]["namespace"] = "lab"
        await world.client.create(DEPLOYMENTS, app, "lab")
        await world.client.create(SECRETS, {"metadata": {"name": "s"}}, "lab")
        await world.until(lambda: len(world.list(PODS, "lab")) == 5)
        await world.client.delete(NAMESPACES, "lab")
        await world.until(lambda: world.get(NAMESPACES, "lab") is None)
        for resource in (PODS, DEPLOYMENTS, SECRETS, CONFIG_MAPS, SERVICE_ACCOUNTS):
            assert not (await world.client.list(resource, "lab")).items
        with pytest.raises(NotFound):
            await world.client.get(NAMESPACES, "lab")


async def test_a_namespace_of_the_same_name_keeps_what_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not heard yet that the one before has gone takes nothing from it."""
    async with running_controllers() as world:
        await make(world)
        first = await world.client.get(NAMESPACES, "lab")
        ending = {**first, "metadata": {**first["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
        await world.client.delete(NAMESPACES, "lab")
        await world.until(lambda: world.get(NAMESPACES, "lab") is None)
        await make(world)
        await world.client.create(SECRETS, {"metadata": {"name": "kept"}}, "lab")
        (controller,) = [one for one in world.controllers if isinstance(one, NamespaceController)]
        monkeypatch.setattr(controller._namespaces, "get", lambda name: ending)
        await controller.reconcile("lab")
        assert await world.client.get(SECRETS, "kept", "lab")


async def test_what_holds_a_namespace_up_is_said() -> None:
    async with running_controllers() as world:
        await make(world)
        held = {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
        await world.client.create(CONFIG_MAPS, held, "lab")
        await world.client.delete(NAMESPACES, "lab")
        await world.until(lambda: conditions(world))
        found = conditions(world)
        assert found["NamespaceContentRemaining"]["message"] == (
            "Some resources are remaining: configmaps. has 1 resource instances"
        )
        assert found["NamespaceFinalizersRemaining"]["message"] == (
            "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
        )
        assert found["NamespaceDeletionContentFailure"]["status"] == "False"
        await world.client.patch(CONFIG_MAPS, "held", {"metadata": {"finalizers": None}}, "lab")
        await world.until(lambda: world.get(NAMESPACES, "lab") is None)


async def test_pods_go_before_what_they_use() -> None:
    async with running_controllers() as world:
        await make(world)
        spec = {"containers": [{"name": "app", "image": "x"}]}
        await world.client.create(PODS, {"metadata": {"name": "p"}, "spec": spec}, "lab")
        await world.client.create(SECRETS, {"metadata": {"name": "s"}}, "lab")
        await world.until(lambda: world.get(PODS, "p", "lab")["spec"].get("nodeName"))
        world.node.stops = lambda pod: False
        await world.client.delete(NAMESPACES, "lab")
        await world.until(lambda: is_deleting(world.get(PODS, "p", "lab")))
        await world.settle()
        assert await world.client.get(SECRETS, "s", "lab")
        world.node.stops = lambda pod: True
        world.node.look_again()
        await world.until(lambda: world.get(NAMESPACES, "lab") is None)
