"""A namespace that goes takes an extension server's objects along, and waits for a server that does not answer; garbage
is collected all the same."""

from __future__ import annotations

from skerry.engine.store.contract import Key
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.resources import API_SERVICES, CONFIG_MAPS, NAMESPACES
from tests.component.aggregation.conftest import FLUNDERS, GROUP, NAME, VERSION, Wardle
from tests.support.extension_server import Running

FAILURE = "NamespaceDeletionDiscoveryFailure"


async def test_objects_elsewhere_go_with_their_namespace(wardle: Wardle, flunders: Running) -> None:
    client, world = wardle.world.client, wardle.world
    await client.create(NAMESPACES, {"metadata": {"name": "going"}})
    for namespace in ("going", "default"):
        await client.create(FLUNDERS, {"metadata": {"name": "one"}}, namespace)
    await client.delete(NAMESPACES, "going")
    await world.until(lambda: world.get(NAMESPACES, "going") is None, 60)
    left = (await client.list(FLUNDERS)).items
    assert [one["metadata"]["namespace"] for one in left] == ["default"]


async def test_a_server_that_is_down_holds_the_namespace_and_nothing_else(wardle: Wardle, flunders: Running) -> None:
    client, world = wardle.world.client, wardle.world
    await client.patch(API_SERVICES, NAME, {"spec": {"service": {"name": "none"}}})
    await wardle.until_reason("ServiceNotFound")
    await client.create(NAMESPACES, {"metadata": {"name": "going"}})
    await client.create(CONFIG_MAPS, {"metadata": {"name": "mine"}}, "going")
    await client.delete(NAMESPACES, "going")

    def failure() -> str | None:
        namespace = world.get(NAMESPACES, "going")
        condition = condition_of(namespace, FAILURE) if namespace is not None else None
        return f"{condition['status']} {condition['reason']}" if condition is not None else None

    await world.until(lambda: failure() == "True DiscoveryFailed", 60)
    namespace = world.get(NAMESPACES, "going")
    assert namespace is not None
    condition = condition_of(namespace, FAILURE)
    assert condition is not None
    stale = f"{GROUP}/{VERSION}: stale GroupVersion discovery: {GROUP}/{VERSION}"
    assert condition["message"].endswith(f"1 failing: unable to retrieve the complete list of server APIs: {stale}")
    assert (await client.list(CONFIG_MAPS, "going")).items == []
    await client.patch(API_SERVICES, NAME, {"spec": {"service": {"name": "api"}}})
    await world.until(lambda: world.get(NAMESPACES, "going") is None, 60)


async def test_garbage_is_collected_while_a_server_is_down(wardle: Wardle, flunders: Running) -> None:
    client, world = wardle.world.client, wardle.world
    flunder = await client.create(FLUNDERS, {"metadata": {"name": "one"}}, "default")
    owner = await client.create(CONFIG_MAPS, {"metadata": {"name": "owner"}}, "default")
    await client.patch(API_SERVICES, NAME, {"spec": {"service": {"name": "none"}}})
    await wardle.until_reason("ServiceNotFound")

    async def owned(name: str, by: Obj, api_version: str, kind: str) -> None:
        reference = {"apiVersion": api_version, "kind": kind, "name": name_of(by), "uid": uid_of(by)}
        await client.create(CONFIG_MAPS, {"metadata": {"name": name, "ownerReferences": [reference]}}, "default")

    await owned("kept", flunder, f"{GROUP}/{VERSION}", "Flunder")
    await owned("garbage", owner, "v1", "ConfigMap")
    await client.delete(CONFIG_MAPS, "owner", "default")
    store = world.api.store
    await world.until(lambda: store.get(Key("configmaps", "default", "garbage")) is None, 60)
    assert store.get(Key("configmaps", "default", "kept")) is not None
