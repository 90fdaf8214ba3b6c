"""One contract, two clients: what `kube.client.Client` promises holds in-process and over HTTP, on the same server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from skerry.kube.client import Client, Selection
from skerry.kube.errors import AlreadyExists, BadRequest, Conflict, Invalid, NotFound, StatusError
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS
from tests.support.api import running_api
from tests.support.waiting import LIMIT


@pytest.fixture(params=["local", "http"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with running_api() as api:
        if request.param == "local":
            yield api.client
            return
        async with HttpClient.from_kubeconfig(api.kubeconfig) as over_http:
            yield over_http


def config_map(name: str, **labels: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "default", "labels": labels}, "data": {"key": "1"}}


DEPLOYMENT: Obj = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]},
        },
    },
}


async def test_what_is_created_is_complete_and_can_be_got(client: Client) -> None:
    made = await client.create(CONFIG_MAPS, config_map("a"))
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")
    assert made["metadata"]["uid"]
    assert await client.get(CONFIG_MAPS, "a", "default") == made
    assert name_of(await client.get(NAMESPACES, "default")) == "default"


async def test_failures_are_the_same_classes_with_the_same_words(client: Client) -> None:
    made = await client.create(CONFIG_MAPS, config_map("a"))
    with pytest.raises(AlreadyExists, match='configmaps "a" already exists'):
        await client.create(CONFIG_MAPS, config_map("a"))
    with pytest.raises(NotFound, match='configmaps "b" not found') as missing:
        await client.get(CONFIG_MAPS, "b", "default")
    assert missing.value.details == {"name": "b", "kind": "configmaps"}
    with pytest.raises(Invalid, match=r"metadata\.name") as invalid:
        await client.create(CONFIG_MAPS, config_map("No Name"))
    assert invalid.value.details["causes"][0]["field"] == "metadata.name"
    await client.update(CONFIG_MAPS, {**made, "data": {"key": "2"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        await client.update(CONFIG_MAPS, {**made, "data": {"key": "3"}})
    with pytest.raises(BadRequest):
        await client.list(CONFIG_MAPS, "default", Selection(label_selector="a in ("))


async def test_lists_are_selected_and_chunked(client: Client) -> None:
    for number in range(5):
        await client.create(CONFIG_MAPS, config_map(f"c{number}", parity=str(number % 2)))
    odd = await client.list(CONFIG_MAPS, "default", Selection(label_selector="parity=1"))
    assert [name_of(item) for item in odd.items] == ["c1", "c3"]
    assert all(item["kind"] == "ConfigMap" and item["apiVersion"] == "v1" for item in odd.items)
    named = await client.list(CONFIG_MAPS, None, Selection(field_selector="metadata.name=c4"))
    assert [name_of(item) for item in named.items] == ["c4"]
    token, names = "", []
    while True:
        chunk = await client.list(CONFIG_MAPS, "default", Selection("parity"), limit=2, next_token=token)
        names += [name_of(item) for item in chunk.items]
        token = chunk.next_token
        if not token:
            break
    assert names == [f"c{number}" for number in range(5)]


async def test_each_kind_of_patch(client: Client) -> None:
    await client.create(DEPLOYMENTS, DEPLOYMENT)

    async def images(patched: Obj) -> list[str]:
        return [container["image"] for container in patched["spec"]["template"]["spec"]["containers"]]

    named = {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "z"}]}}}}
    assert await images(await client.patch(DEPLOYMENTS, "web", named, "default", kind="strategic")) == ["x", "z"]
    operation = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "w"}]
    assert await images(await client.patch(DEPLOYMENTS, "web", operation, "default")) == ["w", "z"]
    merged = await client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 4}}, "default")
    assert merged["spec"]["replicas"] == 4


async def test_subresources(client: Client) -> None:
    await client.create(DEPLOYMENTS, DEPLOYMENT)
    scale = await client.get(DEPLOYMENTS, "web", "default", "scale")
    assert scale["spec"]["replicas"] == 1
    status = {"status": {"replicas": 1, "observedGeneration": 1}}
    await client.patch(DEPLOYMENTS, "web", status, "default", subresource="status")
    read = await client.get(DEPLOYMENTS, "web", "default")
    assert read["status"]["replicas"] == 1
    assert read["metadata"]["generation"] == 1
    pod = {**DEPLOYMENT["spec"]["template"], "metadata": {"name": "p", "namespace": "default"}}
    await client.create(PODS, pod)
    binding = {"metadata": {"name": "p", "namespace": "default"}, "target": {"kind": "Node", "name": "n"}}
    await client.create(PODS, binding, "default", "binding")
    assert (await client.get(PODS, "p", "default"))["spec"]["nodeName"] == "n"


async def test_deletion_obeys_its_preconditions(client: Client) -> None:
    await client.create(CONFIG_MAPS, config_map("a"))
    with pytest.raises(Conflict):
        await client.delete(CONFIG_MAPS, "a", "default", {"preconditions": {"uid": "another"}})
    await client.delete(CONFIG_MAPS, "a", "default")
    with pytest.raises(NotFound):
        await client.delete(CONFIG_MAPS, "a", "default")


async def test_a_watch_tells_every_change_once_and_in_order(client: Client) -> None:
    listed = await client.list(CONFIG_MAPS, "default", Selection("app=x"))
    watching = client.watch(CONFIG_MAPS, "default", Selection("app=x"), resource_version=listed.resource_version)
    async with watching as events:
        made = await client.create(CONFIG_MAPS, config_map("a", app="x"))
        await client.create(CONFIG_MAPS, config_map("b", app="y"))
        await client.patch(CONFIG_MAPS, "a", {"data": {"key": "2"}}, "default")
        await client.patch(CONFIG_MAPS, "b", {"metadata": {"labels": {"app": "x"}}}, "default")
        await client.delete(CONFIG_MAPS, "a", "default")
        seen = [await asyncio.wait_for(anext(events), LIMIT) for _ in range(4)]
    assert [(event.type, name_of(event.object)) for event in seen] == [
        ("ADDED", "a"),
        ("MODIFIED", "a"),
        ("ADDED", "b"),
        ("DELETED", "a"),
    ]
    assert seen[0].object == made


async def test_a_watch_from_a_revision_that_has_not_happened_fails(client: Client) -> None:
    with pytest.raises(StatusError):
        async with client.watch(CONFIG_MAPS, "default", resource_version="999999999") as events:
            await asyncio.wait_for(anext(events), LIMIT)


async def test_an_informer_lives_on_it(client: Client) -> None:
    informer = Informer(client, CONFIG_MAPS, "default")
    running = asyncio.create_task(informer.run())
    await asyncio.wait_for(informer.synced.wait(), LIMIT)
    changed = asyncio.Event()
    informer.add_handler(lambda _: changed.set())
    changed.clear()
    await client.create(CONFIG_MAPS, config_map("seen"))
    await asyncio.wait_for(changed.wait(), LIMIT)
    assert informer.get("seen", "default") is not None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
