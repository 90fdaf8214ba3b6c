"""Pods placed per second on many nodes: API and controllers in a process of their own, without containers or a disk.

The pods are there before the scheduler starts; what is timed ends when the last one is bound. The floor: the same
number of bindings written by somebody who need not choose.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvloop

from benchmarks.objects import made, pod
from benchmarks.results import Row
from skerry.engine.api.server import ApiServer
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.controllers.all import make_controllers
from skerry.engine.controllers.scheduler.controller import Scheduler
from skerry.engine.program.context import make_context
from skerry.engine.schema.registry import builtin
from skerry.engine.store.memory import MemoryStore
from skerry.kube.client import Client
from skerry.kube.clock import SystemClock, rfc3339
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj
from skerry.kube.resources import NODES, PODS, SERVICE_ACCOUNTS

NODE_COUNT, POD_COUNT = 1000, 4000
_NAMESPACE = "default"
_BINDERS = 16
_LIMIT = 120.0
"""Seconds after which it has failed."""


async def measure() -> Row:
    """The row, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.scheduling", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, errors = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"scheduling failed:\n{errors.decode()}")
    scheduled, bound = json.loads(output)
    return Row(f"pods scheduled, {NODE_COUNT:,} nodes", scheduled, "/s", bound, 2000)


async def in_this_process() -> tuple[float, float]:
    """Pods scheduled per second, pods bound per second."""
    async with AsyncExitStack() as stack:
        client, pods, scheduler = await stack.enter_async_context(_cluster())
        now = rfc3339(SystemClock().now())
        await made(client, NODES, (_node(number, now) for number in range(NODE_COUNT)))
        await made(client, PODS, (pod(f"bound-{number}", _NAMESPACE) for number in range(POD_COUNT)))
        bound = await _timed(pods, POD_COUNT, lambda: _bind(client))
        await made(client, PODS, (pod(f"placed-{number}", _NAMESPACE) for number in range(POD_COUNT)))
        stack.push_async_callback(scheduler.close)
        scheduled = await _timed(pods, 2 * POD_COUNT, scheduler.start)
    return scheduled, bound


@asynccontextmanager
async def _cluster() -> AsyncIterator[tuple[Client, Informer, Scheduler]]:
    """The API and all controllers, the scheduler not yet started; an administrator's client; the cache of pods."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name:
        paths = Paths(Path(name) / "data", Path(name) / "run")
        config = EngineConfig("bec4", paths, "none", "127.0.0.1", 0, "10.96.0.0/16", "10.112.0.0/16")
        async with AsyncExitStack() as stack:
            store = MemoryStore()
            stack.push_async_callback(store.close)
            api = ApiServer(config, store, builtin())
            stack.push_async_callback(api.stop)
            await api.start()
            context = make_context(api)
            controllers = make_controllers(context)
            (scheduler,) = (one for one in controllers if isinstance(one, Scheduler))
            pods, accounts = context.informers.of(PODS), context.informers.of(SERVICE_ACCOUNTS)
            stack.push_async_callback(context.informers.close)
            stack.push_async_callback(context.recorder.close)
            await context.informers.start()
            for controller in controllers:
                if controller is not scheduler:
                    stack.push_async_callback(controller.close)
                    controller.start()
            await _until(accounts, lambda: accounts.get("default", _NAMESPACE) is not None)
            yield api.client("bench", "system:masters"), pods, scheduler


async def _bind(client: Client) -> None:
    """Bind in turn, several at a time."""
    numbers = iter(range(POD_COUNT))

    async def binder() -> None:
        for number in numbers:
            target = {"apiVersion": "v1", "kind": "Node", "name": f"node-{number % NODE_COUNT}"}
            metadata = {"name": f"bound-{number}", "namespace": _NAMESPACE}
            binding = {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}
            await client.create(PODS, binding, _NAMESPACE, "binding")

    await asyncio.gather(*(binder() for _ in range(_BINDERS)))


def _node(number: int, now: str) -> Obj:
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now}
    room = {"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    labels = {"kubernetes.io/hostname": f"node-{number}", "topology.kubernetes.io/zone": f"zone-{number % 3}"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "labels": labels},
        "status": {"capacity": room, "allocatable": room, "conditions": [condition]},
    }


async def _timed(pods: Informer, count: int, begin: Callable[[], Coroutine[None, None, None] | None]) -> float:
    """Pods per second from `begin` until so many of all pods have a node."""
    already = sum("nodeName" in one["spec"] for one in pods.list())
    start = time.perf_counter()
    if (work := begin()) is not None:
        await work
    await _until(pods, lambda: sum("nodeName" in one["spec"] for one in pods.list()) >= count)
    return (count - already) / (time.perf_counter() - start)


async def _until(informer: Informer, condition: Callable[[], bool]) -> None:
    """Wait for a condition on a cache, looked at when it has changed, but not at every change of many."""
    changed = asyncio.Event()

    def note(delta: Delta) -> None:
        changed.set()

    informer.add_handler(note)
    async with asyncio.timeout(_LIMIT):
        while not condition():
            changed.clear()
            await changed.wait()
            await asyncio.sleep(0.02)
    informer.remove_handler(note)


if __name__ == "__main__":
    print(json.dumps(uvloop.run(in_this_process())))
