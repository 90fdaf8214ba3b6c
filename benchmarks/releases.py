"""A hundred releases of a small chart, from their objects to what runs; the floor is the same by Helm alone.

The cluster (`skerry.testing`) is a process of its own, the platform is in this one. The chart has a Deployment whose
pod gets ready at once, a Service and a ConfigMap, and is waited for. Helm alone: as many at a time as the platform has
at work.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.support.kept_charts import WEB, packed, put_chart
from tests.support.program import program_path

from benchmarks.projects import simulated_cluster
from benchmarks.results import Row
from skerry.kube.conditions import condition_of
from skerry.kube.controller import Controller
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.kube.objects import Obj
from skerry.kube.resources import NAMESPACES
from skerry.platform.base.capability import MANAGER, Context, Settings
from skerry.platform.program.all import ALL
from skerry.platform.program.platform import Platform
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.helm.slots import AT_WORK
from skerry.platform.releases.types import RELEASES

MANY, IN_PROJECTS = 100, 5
_FILES = {
    "templates/web.yaml": WEB,
    "templates/more.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}}\n"
    "spec: {ports: [{port: 80}]}\n---\n"
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {text: hello}\n",
    "values.yaml": "replicas: 1\nready: 'true'\ntext: hello\n",
}
_QUOTA = dict.fromkeys(("pods", "services", "requests.cpu", "limits.cpu"), "10k") | dict.fromkeys(
    ("requests.memory", "limits.memory"), "10Ti"
)


async def measure() -> list[Row]:
    """Seconds until all are deployed."""
    async with simulated_cluster(nodes=3) as kubeconfig, HttpClient.from_kubeconfig(kubeconfig) as admin:
        # catalogues are left out: they would take away a chart that nobody's catalogue has
        capabilities = [replace(one, controllers=_no_controllers) if one.name == "catalog" else one for one in ALL]
        async with (
            HttpClient(load_kubeconfig(kubeconfig), field_manager=MANAGER) as own,
            Platform(own, Settings(), capabilities=capabilities),
        ):
            names = await _projects(admin)
            await put_chart(admin, "small", {"1.0.0": _FILES})
            began = time.perf_counter()
            for number in range(MANY):
                place = names[number % IN_PROJECTS]
                await admin.create(RELEASES, _release(f"small-{number}"), place)
            await _until_deployed(admin)
            taken = time.perf_counter() - began
        floor = await _by_helm(admin, kubeconfig)
    return [Row(f"{MANY} releases of a small chart", taken, "s", floor, 20)]


def _no_controllers(_context: Context) -> Sequence[Controller]:
    return ()


async def _projects(admin: HttpClient) -> list[str]:
    names = [f"bench-{number}" for number in range(IN_PROJECTS)]
    for name in names:
        spec = {"owner": "anna", "overrides": {"quota": _QUOTA}}
        await admin.create(PROJECTS, {"apiVersion": PROJECTS.api_version, "metadata": {"name": name}, "spec": spec})
    while not all(_ready(one) for one in (await admin.list(PROJECTS)).items):
        await asyncio.sleep(0.05)
    return names


async def _until_deployed(admin: HttpClient) -> None:
    while True:
        listed = (await admin.list(RELEASES)).items
        failed = [one for one in listed if (one.get("status") or {}).get("phase") == "Failed"]
        if failed:
            raise RuntimeError(str(condition_of(failed[0], "Ready")))
        if sum(_ready(one) for one in listed) == MANY:
            return
        await asyncio.sleep(0.2)


def _ready(one: Obj) -> bool:
    ready = condition_of(one, "Ready")
    return ready is not None and ready["status"] == "True"


def _release(name: str) -> Obj:
    spec = {"chart": {"name": "small"}}
    return {"apiVersion": RELEASES.api_version, "kind": "Release", "metadata": {"name": name}, "spec": spec}


async def _by_helm(admin: HttpClient, kubeconfig: Path) -> float:
    """The same number, in a namespace of no project."""
    await admin.create(NAMESPACES, {"metadata": {"name": "floor"}})
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as folder:
        chart = Path(folder) / "small.tgz"
        chart.write_bytes(packed("small", "1.0.0", _FILES))
        turns = asyncio.Semaphore(AT_WORK)
        began = time.perf_counter()
        await asyncio.gather(*(_helm(turns, kubeconfig, chart, f"floor-{number}") for number in range(MANY)))
        return time.perf_counter() - began


async def _helm(turns: asyncio.Semaphore, kubeconfig: Path, chart: Path, name: str) -> None:
    words = ["install", name, str(chart), "--kubeconfig", str(kubeconfig), "-n", "floor", "--wait"]
    async with turns:
        process = await asyncio.create_subprocess_exec(
            program_path("helm"),
            *words,
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": str(chart.parent)},
        )
        if await process.wait():
            raise RuntimeError(f"helm install {name} failed")
