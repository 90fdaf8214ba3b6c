"""An app launched, until its URL answers: from the Release as it is written to the first page, its image loaded.

The engine has the platform beside it and does real work: Helm, a pod, a Service, an Ingress. The floor is `helm install
--wait` of the same chart on the same engine, which ends when the pod is ready and opens nothing.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.charts import CHARTS, build_images, page_at
from tests.support.helm import Helm
from tests.support.program import Program, eventually

from benchmarks import session
from benchmarks.results import Row
from skerry.platform.projects.types import PROJECTS
from skerry.platform.releases.types import RELEASES

_TIMES = 5
_PROJECT = "launching"
_VALUES = {"access": "everyone"}


async def measure() -> list[Row]:
    """The median of a few, each with the one before gone."""
    return await asyncio.to_thread(_measure)


def _measure() -> list[Row]:
    with session.program(platform=True) as program, tempfile.TemporaryDirectory(prefix="skerry-bench-") as scratch:
        build_images(program, "web-application")
        project = {"metadata": {"name": _PROJECT}, "spec": {"owner": "anna"}}
        program.apply(json.dumps({"apiVersion": PROJECTS.api_version, "kind": "Project", **project}))
        program.kubectl("wait", f"project/{_PROJECT}", "--for=condition=Ready", "--timeout=60s")
        helm = Helm(program.kubeconfig, Path(scratch), "default")
        _install(helm, "first")  # the Ingress comes with the first app
        ingress = program.ingress()
        taken = _median(lambda number: _launch(program, ingress, f"app-{number}"))
        floor = _median(lambda number: _by_helm(helm, f"alone-{number}"))
    return [Row("launch of an app until its URL answers", taken, "s", floor, 4)]


def _median(once: Callable[[int], float]) -> float:
    return statistics.median(once(number) for number in range(_TIMES))


def _launch(program: Program, ingress: tuple[str, int], name: str) -> float:
    spec = {"chart": {"catalog": "skerry", "name": "web-application"}, "values": _VALUES}
    metadata = {"name": name, "namespace": _PROJECT}
    release = json.dumps({"apiVersion": RELEASES.api_version, "kind": "Release", "metadata": metadata, "spec": spec})
    began = time.perf_counter()
    program.apply(release)
    eventually(lambda: page_at(ingress, f"{name}.{_PROJECT}.localhost")[0] == 200, f"{name} answers")
    taken = time.perf_counter() - began
    program.kubectl("-n", _PROJECT, "delete", "release", name, "--timeout=60s")
    return taken


def _by_helm(helm: Helm, name: str) -> float:
    began = time.perf_counter()
    _install(helm, name)
    taken = time.perf_counter() - began
    helm("uninstall", name, "--wait")
    return taken


def _install(helm: Helm, name: str) -> None:
    helm("install", name, str(CHARTS / "web-application"), "--set", "access=everyone", "--wait", "--timeout", "60s")
