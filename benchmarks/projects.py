"""The platform's projects: until a new one can be used, and until many are looked at again after a restart.

The cluster (`skerry.testing`) is a process of its own, as it is for users; the platform is in this one. The floor of a
new project: as many writes as it takes, one after the other. Of a restart: listing everything that it has to know.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.results import Row
from skerry.kube.client import Selection
from skerry.kube.conditions import condition_is_true
from skerry.kube.controller import Controller
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, NAMESPACES, NETWORK_POLICIES, RESOURCE_QUOTAS, SERVICE_ACCOUNTS
from skerry.platform.base.capability import MANAGER, Capability, Context, Settings
from skerry.platform.program.all import ALL
from skerry.platform.program.platform import Platform
from skerry.platform.projects.capability import PROJECTS as PROJECTS_CAPABILITY
from skerry.platform.projects.reconcile import ProjectController
from skerry.platform.projects.types import MADE_LABEL, PROJECTS
from skerry.platform.projects.wanted import LIMIT_RANGES, ROLE_BINDINGS

MANY, NAMESPACES_EACH, TIMES, AT_ONCE = 1000, 5, 20, 16
_WRITES = 13
"""What one project with one namespace takes, the namespace and the status included."""
_CLUSTER = """
import json, sys
from skerry.testing import cluster
with cluster(nodes=int(sys.argv[1])) as made:
    print(json.dumps(str(made.kubeconfig)), flush=True)
    sys.stdin.read()
"""


async def measure(many: int = MANY) -> list[Row]:
    """The two rows."""
    async with simulated_cluster() as kubeconfig, HttpClient.from_kubeconfig(kubeconfig) as admin:
        async with _platform(kubeconfig):
            ready = await _ready(admin)
            await _make(admin, many)
        floor = await _listed(admin)
        restarted = await _restarted(kubeconfig, many)
    spaces = many * NAMESPACES_EACH
    return [ready, Row(f"{many} projects, {spaces} namespaces: restart", restarted, "s", floor, 20)]


@asynccontextmanager
async def simulated_cluster(nodes: int = 0) -> AsyncIterator[Path]:
    """Its kubeconfig."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _CLUSTER, str(nodes), stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Path(json.loads(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def _platform(kubeconfig: Path, capabilities: Sequence[Capability] = ALL) -> AsyncIterator[None]:
    async with (
        HttpClient(load_kubeconfig(kubeconfig), field_manager=MANAGER) as own,
        Platform(own, Settings(), capabilities=capabilities),
    ):
        yield


class _Looking(ProjectController):
    """Says when it has looked at so many projects."""

    def __init__(self, context: Context, many: int) -> None:
        super().__init__(context)
        self._many = many
        self._seen: set[str] = set()
        self.done = asyncio.Event()

    async def reconcile(self, key: str) -> float | None:
        again = await super().reconcile(key)
        self._seen.add(key)
        if len(self._seen) >= self._many:
            self.done.set()
        return again


async def _restarted(kubeconfig: Path, many: int) -> float:
    """Seconds from nothing until each project was compared with what there is."""
    made: list[_Looking] = []

    def controllers(context: Context) -> Sequence[Controller]:
        made.append(_Looking(context, many))
        others = [one for one in PROJECTS_CAPABILITY.controllers(context) if not isinstance(one, ProjectController)]
        return [*made, *others]

    watched = replace(PROJECTS_CAPABILITY, controllers=controllers)
    began = time.perf_counter()
    async with _platform(kubeconfig, [watched if one is PROJECTS_CAPABILITY else one for one in ALL]):
        await made[0].done.wait()
        return time.perf_counter() - began


async def _ready(admin: HttpClient) -> Row:
    taken = [await _timed(_one(admin, f"one-{number}")) for number in range(TIMES)]
    floor = await _timed(_writes(admin))
    return Row("project ready", statistics.median(taken), "s", floor, 1)


async def _one(admin: HttpClient, name: str) -> None:
    project = await admin.create(PROJECTS, _project(name, [name]))
    watched = Selection(field_selector=f"metadata.name={name}")
    version = project["metadata"]["resourceVersion"]
    async with admin.watch(PROJECTS, selection=watched, resource_version=version) as events:
        async for event in events:
            if condition_is_true(event.object, "Ready"):
                return


async def _writes(admin: HttpClient) -> None:
    for number in range(_WRITES):
        await admin.create(CONFIG_MAPS, {"metadata": {"name": f"floor-{number}"}}, "default")


async def _make(admin: HttpClient, many: int) -> None:
    names = [f"many-{number}" for number in range(many)]
    await _each(names, lambda name: admin.create(PROJECTS, _project(name, _spaces(name))))
    await _until_all(admin, lambda one: condition_is_true(one, "Ready"))


async def _listed(admin: HttpClient) -> float:
    began = time.perf_counter()
    await admin.list(NAMESPACES)
    for resource in (ROLE_BINDINGS, RESOURCE_QUOTAS, LIMIT_RANGES, NETWORK_POLICIES, SERVICE_ACCOUNTS):
        await admin.list(resource, selection=Selection(MADE_LABEL))
    return time.perf_counter() - began


async def _each(names: list[str], work: Callable[[str], Awaitable[object]]) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> None:
        async with turns:
            await work(name)

    await asyncio.gather(*(one(name) for name in names))


async def _until_all(admin: HttpClient, holds: Callable[[Obj], bool]) -> None:
    """Asks anew when the server ends the watch."""
    while True:
        listed = await admin.list(PROJECTS)
        missing = {one["metadata"]["name"] for one in listed.items if not holds(one)}
        async with admin.watch(PROJECTS, resource_version=listed.resource_version) as events:
            while missing and (event := await anext(aiter(events), None)) is not None:
                if event.type != "BOOKMARK" and holds(event.object):
                    missing.discard(event.object["metadata"]["name"])
        if not missing:
            return


def _project(name: str, namespaces: list[str]) -> Obj:
    spec = {"owner": "anna", "namespaces": namespaces, "members": [{"user": "ben", "role": "editor"}]}
    return {"apiVersion": PROJECTS.api_version, "kind": "Project", "metadata": {"name": name}, "spec": spec}


def _spaces(name: str) -> list[str]:
    return [name, *(f"{name}-{number}" for number in range(1, NAMESPACES_EACH))]


async def _timed(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began
