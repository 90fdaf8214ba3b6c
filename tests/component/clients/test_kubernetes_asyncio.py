"""`kubernetes_asyncio`: objects, watches, patches of every type, and what it makes of errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes_asyncio import client, config, watch

from skerry.testing import Cluster
from tests.support.waiting import LIMIT

POD: dict[str, Any] = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


@pytest.fixture
async def connection(shared_cluster: Cluster, tmp_path: Path) -> AsyncIterator[client.ApiClient]:
    kubeconfig = str(shared_cluster.kubeconfig)
    async with await config.new_client_from_config(kubeconfig, temp_file_path=str(tmp_path)) as opened:
        yield opened


async def test_a_watch_sees_what_happens_to_a_pod(connection: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(connection)
    await core.create_namespaced_pod(namespace, POD)
    seen: list[tuple[str, str]] = []
    asked = False
    async with watch.Watch() as watching:
        async for event in watching.stream(core.list_namespaced_pod, namespace, timeout_seconds=int(LIMIT)):
            seen.append((event["type"], event["object"].status.phase))
            if seen[-1][1] == "Running" and not asked:
                asked = True
                await core.delete_namespaced_pod("p", namespace)
            if event["type"] == "DELETED":
                break
    assert (seen[0][0], seen[-1][0]) == ("ADDED", "DELETED")
    assert "Running" in {phase for _, phase in seen}


async def test_objects_and_their_conflicts(connection: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(connection)
    made = await core.create_namespaced_config_map(namespace, {"metadata": {"name": "c"}, "data": {"a": "1"}})
    await core.patch_namespaced_config_map("c", namespace, {"data": {"b": "2"}}, field_manager="tests")
    with pytest.raises(client.ApiException) as stale:
        await core.replace_namespaced_config_map("c", namespace, made)
    assert stale.value.status == 409
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"c": "3"}}
    read = await core.patch_namespaced_config_map(
        "c", namespace, applied, field_manager="owner", _content_type="application/apply-patch+yaml"
    )
    assert read.data == {"a": "1", "b": "2", "c": "3"}
    await core.delete_collection_namespaced_config_map(namespace, field_selector="metadata.name=c")
    with pytest.raises(client.ApiException) as gone:
        await core.read_namespaced_config_map("c", namespace)
    assert gone.value.status == 404


async def test_many_at_once_and_chunked_lists(connection: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(connection)
    bodies = [{"metadata": {"name": f"s{n}"}, "stringData": {"n": str(n)}} for n in range(50)]
    await asyncio.gather(*(core.create_namespaced_secret(namespace, body) for body in bodies))
    names, token = [], None
    while token != "":
        chunk = await core.list_namespaced_secret(namespace, limit=20, _continue=token)
        names += [one.metadata.name for one in chunk.items]
        token = chunk.metadata._continue or ""
    assert sorted(names) == sorted(body["metadata"]["name"] for body in bodies)


async def test_scale_and_rollout_status(connection: client.ApiClient, namespace: str) -> None:
    apps = client.AppsV1Api(connection)
    template = {"metadata": {"labels": {"app": "d"}}, "spec": POD["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    await apps.create_namespaced_deployment(namespace, {"metadata": {"name": "d"}, "spec": spec})
    await apps.patch_namespaced_deployment_scale("d", namespace, {"spec": {"replicas": 3}})
    async with watch.Watch() as watching:
        async for event in watching.stream(apps.list_namespaced_deployment, namespace, timeout_seconds=int(LIMIT)):
            if event["object"].status.ready_replicas == 3:
                break
    assert event["object"].spec.replicas == 3
