"""A Deployment to 3 replicas, to 50, to none: from the request to what a watch says, beside raw CRI."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from tests.support.images import BUSYBOX

from benchmarks import cri_floor
from benchmarks.namespaces import temporary_namespace
from benchmarks.results import Row
from skerry.kube.client import WatchEvent
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import DEPLOYMENTS, PODS

NAMESPACE = "skerry-bench"
LIMIT = 120.0
"""Seconds after which a rollout has failed."""


async def measure(client: HttpClient) -> list[Row]:
    """The three rows. `busybox:test` is loaded. The floors come last, when ours has nothing left to do."""
    async with temporary_namespace(client, NAMESPACE):
        await _roll_out(client, "first", 1)  # so that nothing measured happens for the first time
        await _remove(client, "first")
        three = await _roll_out(client, "bench", 3)
        to_fifty = await _roll_out(client, "bench", 50)
        to_none = await _remove(client, "bench")
    floors = await cri_floor.measure()
    return [
        Row("apply of 3 replicas to rolled out", three, "s", floors.three, 0.40),
        Row("3 to 50 replicas", to_fifty, "s", floors.to_fifty, 4.5),
        Row("50 to 0 replicas", to_none, "s", floors.to_none, 4.0),
    ]


async def _roll_out(client: HttpClient, name: str, replicas: int) -> float:
    """Create or scale; seconds until the Deployment reports that many available."""
    known = await client.list(DEPLOYMENTS, NAMESPACE)
    async with (
        asyncio.timeout(LIMIT),
        client.watch(DEPLOYMENTS, NAMESPACE, resource_version=known.resource_version) as events,
    ):
        start = time.perf_counter()
        if any(name_of(item) == name for item in known.items):
            await client.patch(DEPLOYMENTS, name, {"spec": {"replicas": replicas}}, NAMESPACE)
        else:
            await client.create(DEPLOYMENTS, _deployment(name, replicas))
        await _until(events, name, replicas)
        return time.perf_counter() - start


async def _until(events: AsyncIterator[WatchEvent], name: str, replicas: int) -> None:
    async for event in events:
        deployment = event.object
        status = deployment.get("status") or {}
        if (
            name_of(deployment) == name
            and status.get("observedGeneration") == deployment["metadata"]["generation"]
            and status.get("updatedReplicas", 0) == replicas
            and status.get("availableReplicas", 0) == replicas
        ):
            return
    raise RuntimeError(f"the watch of {name} ended early")


async def _remove(client: HttpClient, name: str) -> float:
    """Scale to none; seconds until the last pod is gone from the API."""
    pods = await client.list(PODS, NAMESPACE)
    left = {name_of(pod) for pod in pods.items}
    async with asyncio.timeout(LIMIT), client.watch(PODS, NAMESPACE, resource_version=pods.resource_version) as events:
        start = time.perf_counter()
        await client.patch(DEPLOYMENTS, name, {"spec": {"replicas": 0}}, NAMESPACE)
        async for event in events:
            if event.type == "DELETED":
                left.discard(name_of(event.object))
            if not left:
                return time.perf_counter() - start
    raise RuntimeError("the watch of pods ended early")


def _deployment(name: str, replicas: int) -> Obj:
    labels = {"app": name}
    container = {"name": "main", "image": BUSYBOX, "command": list(cri_floor.COMMAND)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
