"""Definitions that come with the engine: put there once, brought up to date, never forced on anybody."""

from dataclasses import replace

from skerry.engine.definitions.all import ALL
from skerry.engine.definitions.installing import install, is_ours
from skerry.engine.definitions.metallb import ADDRESS_POOLS
from skerry.engine.definitions.notation import BUNDLED, custom_resource_definition
from skerry.kube.objects import name_of
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS
from tests.support.api import RunningApi, running_api
from tests.support.waiting import until

POOL = {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "one"}}
NAME = ADDRESS_POOLS.group_resource


async def _definitions(api: RunningApi) -> list[str]:
    return sorted(name_of(one) for one in (await api.client.list(CUSTOM_RESOURCE_DEFINITIONS)).items)


async def _is_gone(api: RunningApi) -> bool:
    return NAME not in await _definitions(api)


async def test_all_are_served_when_installing_is_over() -> None:
    async with running_api() as api:
        await install(api.server.component("definition-installer"), ALL)
        assert await _definitions(api) == sorted(one.name for one in ALL)
        for one in ALL:
            assert (await api.client.list(one.resource)).items == []
            definition = await api.client.get(CUSTOM_RESOURCE_DEFINITIONS, one.name)
            assert is_ours(definition)
            conditions = {each["type"]: each["status"] for each in definition["status"]["conditions"]}
            assert conditions["Established"] == "True"
            assert "NonStructuralSchema" not in conditions
        made = await api.client.create(ADDRESS_POOLS, {**POOL, "spec": {"addresses": ["192.0.2.0/28"]}}, "default")
        assert made["spec"]["autoAssign"] is True


async def test_a_deleted_one_does_not_come_back() -> None:
    async with running_api() as api:
        await install(api.client, ALL)
        await api.client.delete(CUSTOM_RESOURCE_DEFINITIONS, NAME)
        await until(lambda: _is_gone(api))
        await install(api.client, ALL)
        newer = [replace(one, short_names=("pool",)) if one.name == NAME else one for one in ALL]
        await install(api.client, newer)
        assert await _is_gone(api)


async def test_ours_is_brought_up_to_date() -> None:
    async with running_api() as api:
        await install(api.client, ALL)
        newer = [replace(one, short_names=("pool",)) if one.name == NAME else one for one in ALL]
        await install(api.client, newer)
        assert (await api.client.get(CUSTOM_RESOURCE_DEFINITIONS, NAME))["spec"]["names"]["shortNames"] == ["pool"]


async def test_somebody_elses_is_left_alone() -> None:
    async with running_api() as api:
        theirs = custom_resource_definition(next(one for one in ALL if one.name == NAME))
        theirs["spec"]["names"]["shortNames"] = ["theirs"]
        await api.client.create(CUSTOM_RESOURCE_DEFINITIONS, theirs)
        await install(api.client, ALL)
        found = await api.client.get(CUSTOM_RESOURCE_DEFINITIONS, NAME)
        assert not is_ours(found)
        assert found["spec"]["names"]["shortNames"] == ["theirs"]
        assert BUNDLED not in (found["metadata"].get("annotations") or {})
