"""Owner references on a real API: background, orphaning, several owners, absent and unreachable owners."""

from __future__ import annotations

from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, SECRETS
from tests.support.controllers import World, running_controllers


async def make(world: World, name: str, *owners: Obj, namespace: str = "default", block: bool = False) -> Obj:
    """A ConfigMap that depends on others."""
    references = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": name_of(one), "uid": uid_of(one), "blockOwnerDeletion": block}
        for one in owners
    ]
    metadata = {"name": name, "namespace": namespace, "ownerReferences": references}
    created = await world.client.create(CONFIG_MAPS, {"metadata": metadata}, namespace)
    await world.until(lambda: find(world, name, namespace))
    return created


def find(world: World, name: str, namespace: str = "default") -> Obj | None:
    return world.context.informers.metadata_of(CONFIG_MAPS).get(name, namespace)


async def test_dependents_follow_their_last_owner() -> None:
    async with running_controllers() as world:
        first, second = await make(world, "first"), await make(world, "second")
        await make(world, "child", first, second)
        await make(world, "grandchild", await make(world, "only", first))
        await world.client.delete(CONFIG_MAPS, "first", "default")
        await world.until(lambda: not find(world, "only") and not find(world, "grandchild"))
        await world.until(lambda: len(find(world, "child")["metadata"]["ownerReferences"]) == 1)
        assert find(world, "child")["metadata"]["ownerReferences"][0]["name"] == "second"
        await world.client.delete(CONFIG_MAPS, "second", "default")
        await world.until(lambda: not find(world, "child"))


async def test_an_owner_that_never_was_is_no_owner() -> None:
    async with running_controllers() as world:
        ghost = {"metadata": {"name": "ghost", "uid": "00000000-0000-0000-0000-000000000000"}}
        await make(world, "real")
        await world.client.create(
            CONFIG_MAPS,
            {"metadata": {"name": "child", "ownerReferences": [
                {"apiVersion": "v1", "kind": "ConfigMap", "name": "real", "uid": uid_of(ghost)}]}},
            "default",
        )  # fmt: skip
        await world.until(lambda: not find(world, "child"))
        assert find(world, "real")


async def test_an_owner_in_another_namespace_does_not_count() -> None:
    async with running_controllers() as world:
        await world.client.create(NAMESPACES, {"metadata": {"name": "other"}})
        owner = await make(world, "owner")
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid_of(owner)}
        child = {"metadata": {"name": "child", "ownerReferences": [reference]}}
        await world.client.create(CONFIG_MAPS, child, "other")
        await world.until(lambda: world.events("OwnerRefInvalidNamespace"))
        assert 'does not exist in namespace "other"' in world.events("OwnerRefInvalidNamespace")[0]
        await world.until(lambda: not find(world, "child", "other"))


async def test_a_cluster_scoped_object_with_a_namespaced_owner_stays() -> None:
    async with running_controllers() as world:
        owner = await make(world, "owner")
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid_of(owner)}
        await world.client.create(NAMESPACES, {"metadata": {"name": "kept", "ownerReferences": [reference]}})
        await world.until(lambda: world.events("OwnerRefInvalidNamespace"))
        await world.settle()
        assert world.get(NAMESPACES, "kept")


async def test_an_owner_of_an_unknown_kind_keeps_its_dependents() -> None:
    async with running_controllers() as world:
        reference = {"apiVersion": "example.com/v1", "kind": "Mystery", "name": "m", "uid": "u-1"}
        await world.client.create(SECRETS, {"metadata": {"name": "child", "ownerReferences": [reference]}}, "default")
        await world.settle()
        assert await world.client.get(SECRETS, "child", "default")


async def test_orphaning() -> None:
    async with running_controllers() as world:
        owner = await make(world, "owner")
        await make(world, "child", owner)
        await world.client.delete(CONFIG_MAPS, "owner", "default", {"propagationPolicy": "Orphan"})
        await world.until(lambda: not find(world, "owner"))
        assert not find(world, "child")["metadata"].get("ownerReferences")


async def test_foreground_waits_for_blocking_dependents_only() -> None:
    async with running_controllers() as world:
        owner = await make(world, "owner")
        blocker = await make(world, "blocker", owner, block=True)
        await world.client.patch(CONFIG_MAPS, "blocker", {"metadata": {"finalizers": ["example.com/hold"]}}, "default")
        await make(world, "free", owner)
        await world.client.delete(CONFIG_MAPS, "owner", "default", {"propagationPolicy": "Foreground"})
        await world.until(lambda: not find(world, "free"))
        await world.until(lambda: (find(world, "blocker") or blocker)["metadata"].get("deletionTimestamp"))
        await world.settle()
        assert find(world, "owner")
        await world.client.patch(CONFIG_MAPS, "blocker", {"metadata": {"finalizers": None}}, "default")
        await world.until(lambda: not find(world, "owner") and not find(world, "blocker"))


async def test_a_circle_of_foreground_deletions_ends() -> None:
    async with running_controllers() as world:
        first = await make(world, "first")
        second = await make(world, "second", first, block=True)
        about = {"apiVersion": "v1", "kind": "ConfigMap", "name": "second", "uid": uid_of(second)}
        reference = {**about, "blockOwnerDeletion": True}
        await world.client.patch(CONFIG_MAPS, "first", {"metadata": {"ownerReferences": [reference]}}, "default")
        await world.client.delete(CONFIG_MAPS, "first", "default", {"propagationPolicy": "Foreground"})
        await world.until(lambda: not find(world, "first") and not find(world, "second"))
