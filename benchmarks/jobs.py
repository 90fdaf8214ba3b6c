"""Two hundred Jobs whose container ends at once, from the first request to the last one complete, beside raw CRI."""

from __future__ import annotations

import asyncio
import time

from tests.support.images import BUSYBOX

from benchmarks import cri_floor
from benchmarks.namespaces import temporary_namespace
from benchmarks.objects import made
from benchmarks.results import Row
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, name_of
from skerry.kube.resources import JOBS

NAMESPACE = "skerry-bench"
COUNT = 200
LIMIT = 300.0
"""Seconds after which they have failed."""


async def measure(client: HttpClient) -> Row:
    """The row. `busybox:test` is loaded."""
    async with temporary_namespace(client, NAMESPACE):
        await _run(client, "first", 1)  # so that nothing measured happens for the first time
        seconds = await _run(client, "bench", COUNT)
    floor = await cri_floor.ended(COUNT, ("true",))
    return Row(f"{COUNT} Jobs of `true`", seconds, "s", floor, None)


async def _run(client: HttpClient, prefix: str, count: int) -> float:
    """Seconds until all are complete."""
    left = {f"{prefix}-{number}" for number in range(count)}
    version = (await client.list(JOBS, NAMESPACE)).resource_version
    async with asyncio.timeout(LIMIT), client.watch(JOBS, NAMESPACE, resource_version=version) as events:
        start = time.perf_counter()
        making = asyncio.create_task(made(client, JOBS, [_job(name) for name in sorted(left)]))
        async for event in events:
            conditions = (event.object.get("status") or {}).get("conditions") or ()
            if any(one["type"] == "Complete" and one["status"] == "True" for one in conditions):
                left.discard(name_of(event.object))
            if not left:
                await making
                return time.perf_counter() - start
    raise RuntimeError("the watch of Jobs ended early")


def _job(name: str) -> Obj:
    container = {"name": "main", "image": BUSYBOX, "command": ["true"]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
