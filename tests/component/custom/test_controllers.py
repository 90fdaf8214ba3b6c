"""Namespaces and garbage collection know custom resources as they come."""

from __future__ import annotations

from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES
from tests.support.controllers import World, running_controllers
from tests.support.definitions import WIDGETS, define, definition, widget
from tests.support.waiting import until_raises


async def gone(world: World, name: str, namespace: str) -> None:
    await until_raises(NotFound, lambda: world.client.get(WIDGETS, name, namespace))


def collected(world: World) -> Informer:
    """The garbage collector's cache, which is there a moment after the definition."""
    return world.context.informers._metadata[WIDGETS]


async def test_a_namespace_takes_its_custom_resources_along() -> None:
    async with running_controllers() as world:
        await define(world.client, definition())
        await world.client.create(NAMESPACES, {"metadata": {"name": "there"}})
        made: Obj = widget("a")
        made["metadata"]["namespace"] = "there"
        await world.client.create(WIDGETS, made)
        await world.client.delete(NAMESPACES, "there")
        await gone(world, "a", "there")


async def test_custom_resources_own_and_are_owned() -> None:
    async with running_controllers() as world:
        await define(world.client, definition())
        owner = await world.client.create(CONFIG_MAPS, {"metadata": {"name": "owner"}}, "default")
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
        owned = widget("a")
        owned["metadata"]["ownerReferences"] = [reference]
        await world.client.create(WIDGETS, owned)
        await world.until(lambda: collected(world).get("a", "default"))
        await world.client.delete(CONFIG_MAPS, "owner", "default")
        await gone(world, "a", "default")
