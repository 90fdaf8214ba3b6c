"""The official Python client: create, read, update, delete, watch."""

from __future__ import annotations

import asyncio

import pytest
from kubernetes import client, config, watch

from tests.support.api import RunningApi
from tests.support.waiting import LIMIT

pytestmark = [
    # the client leaves its sockets to the garbage collector, which may come at any line
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("collected"),
]


@pytest.fixture
def core(api: RunningApi) -> client.CoreV1Api:
    return client.CoreV1Api(config.new_client_from_config(str(api.kubeconfig)))


async def test_crud(core: client.CoreV1Api) -> None:
    def use() -> None:
        body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c"), data={"a": "b"})
        made = core.create_namespaced_config_map("default", body)
        assert made.metadata.uid
        made.data = {"a": "c"}
        assert core.replace_namespaced_config_map("c", "default", made).data == {"a": "c"}
        assert core.patch_namespaced_config_map("c", "default", {"data": {"d": "e"}}).data == {"a": "c", "d": "e"}
        assert [item.metadata.name for item in core.list_namespaced_config_map("default").items] == ["c"]
        core.delete_namespaced_config_map("c", "default")
        with pytest.raises(client.ApiException) as caught:
            core.read_namespaced_config_map("c", "default")
        assert caught.value.status == 404
        core.api_client.close()

    await asyncio.to_thread(use)


async def test_watch(core: client.CoreV1Api) -> None:
    def use() -> list[tuple[str, str]]:
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a")))
        stream = watch.Watch()
        seen = []
        for event in stream.stream(core.list_namespaced_config_map, "default", timeout_seconds=int(LIMIT)):
            seen.append((event["type"], event["object"].metadata.name))
            if event["type"] == "ADDED":
                core.patch_namespaced_config_map("a", "default", {"data": {"x": "y"}})
            elif event["type"] == "MODIFIED":
                core.delete_namespaced_config_map("a", "default")
            else:
                stream.stop()
        core.api_client.close()
        return seen

    assert await asyncio.to_thread(use) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_server_side_apply(core: client.CoreV1Api) -> None:
    def use() -> None:
        def apply(manager: str, **data: str) -> client.V1ConfigMap:
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}
            return core.patch_namespaced_config_map(
                "c", "default", body, field_manager=manager, _content_type="application/apply-patch+yaml"
            )

        assert apply("one", a="1").data == {"a": "1"}
        assert apply("two", b="2").data == {"a": "1", "b": "2"}
        with pytest.raises(client.ApiException) as caught:
            apply("two", a="2")
        assert caught.value.status == 409
        less = apply("one")
        assert less.data == {"b": "2"}
        assert [each.manager for each in less.metadata.managed_fields if each.operation == "Apply"] == ["one", "two"]
        core.api_client.close()

    await asyncio.to_thread(use)


async def test_a_resource_version_that_is_none_is_dropped(core: client.CoreV1Api) -> None:
    """Manifests of old have `resourceVersion: v1`, and Kubernetes takes them."""

    def make(name: str, version: str) -> str:
        metadata = client.V1ObjectMeta(name=name, resource_version=version)
        made = core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=metadata))
        return str(made.metadata.resource_version)

    def use() -> None:
        assert make("a", "v1").isdecimal()
        assert make("b", "0") != "0"
        with pytest.raises(client.ApiException, match="resourceVersion should not be set on objects to be created"):
            make("c", "17")
        core.api_client.close()

    await asyncio.to_thread(use)
