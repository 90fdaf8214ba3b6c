"""What admission by a project's quota, and all else that the platform asks about a pod, adds to its creation.

The platform is a process of its own, as in use; the API runs in this one, with its garbage collector set as the engine
sets it. The floor: a pod created in a namespace of no project, in turns with those in one, so that both see the same
machine. Pauses between pods differ in length: the namespace's ResourceQuota is reported a twentieth of a second after
each pod, and with equal pauses that always met the next pod in a project and never one beside it.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks import objects
from benchmarks.objects import waiting_pod
from benchmarks.results import Row
from skerry.kube.collecting import spare_collections
from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import PODS, SERVICE_ACCOUNTS
from skerry.platform.projects.types import PROJECTS, TIERS
from skerry.testing import cluster

_TIMES, _THERE = 400, 200
"""Pods that are timed, of each kind; pods that are there before."""
_SPACES = [f"measured-{number}" for number in range(5)]
_PLAIN = "default"
_PAUSE = 0.05  # seconds
_QUIET = (0.02, 0.08)  # seconds, from and to: what controllers do meets pods of both kinds alike, and few of them
_LIMIT = 120.0
"""Seconds after which it has failed."""


async def measure() -> Row:
    """The row."""
    with cluster(nodes=0) as made:
        async with (
            asyncio.timeout(_LIMIT),
            _platform(made.kubeconfig),
            HttpClient.from_kubeconfig(made.kubeconfig) as client,
        ):
            await _make_project(client)
            there = (waiting_pod(f"there-{number}", _SPACES[number % 5]) for number in range(_THERE))
            await objects.made(client, PODS, there)
            without, within = await _timed(client)
    return Row("pod created in a project, p99", within, "ms", without, without + 3)


@asynccontextmanager
async def _platform(kubeconfig: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "skerry.platform.program", "--kubeconfig", str(kubeconfig), stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def _make_project(client: HttpClient) -> None:
    """Of five namespaces. Returns when pods may be made in all of them, and are counted."""
    spec = {"quota": {"pods": "5000", "requests.cpu": "5000"}, "podSecurity": "privileged"}
    await _once(client.create, TIERS, _named(TIERS, "measured", spec))
    wanted = {"owner": "bench", "tier": "measured", "namespaces": _SPACES}
    await _once(client.create, PROJECTS, _named(PROJECTS, "measured", wanted))
    for namespace in (*_SPACES, _PLAIN):
        await _once(client.get, SERVICE_ACCOUNTS, "default", namespace)
    while not ((await client.get(PROJECTS, "measured")).get("status") or {}).get("quota"):
        await asyncio.sleep(_PAUSE)


async def _once(ask: Callable[..., Awaitable[Obj]], *arguments: object) -> None:
    """As soon as there is what is asked for."""
    while True:
        try:
            await ask(*arguments)
        except NotFound:
            await asyncio.sleep(_PAUSE)
        else:
            return


async def _timed(client: HttpClient) -> tuple[float, float]:
    """The 99th percentiles without and within a project, in ms."""
    times: dict[bool, list[float]] = {False: [], True: []}
    pauses = random.Random(_TIMES)  # the same in every run
    spare_collections()
    for number in range(2 * _TIMES):
        is_within = bool(number % 2)
        namespace = _SPACES[number % 5] if is_within else _PLAIN
        await asyncio.sleep(pauses.uniform(*_QUIET))
        begun = time.perf_counter()
        await client.create(PODS, waiting_pod(f"timed-{number}", namespace))
        times[is_within].append((time.perf_counter() - begun) * 1000)
    without, within = (statistics.quantiles(times[one], n=100)[98] for one in (False, True))
    return without, within


def _named(resource: Resource, name: str, spec: Obj) -> Obj:
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, "spec": spec}
