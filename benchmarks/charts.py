"""Helm installs a chart of thirty objects; the floor is what Helm needs to render the same chart without a server."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import yaml
from tests.support.program import program_path

from benchmarks.namespaces import temporary_namespace
from benchmarks.results import Row
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj

NAMESPACE = "skerry-bench"
INSTALLS = 3
KINDS = {"ConfigMap": 11, "Secret": 6, "ServiceAccount": 5, "Service": 5, "Deployment": 3}


async def install(client: HttpClient, kubeconfig: Path) -> Row:
    """Seconds of one `helm install`, server-side apply, its caches warm; the median of a few."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name:
        chart, home = _chart(Path(name)), Path(name)
        await asyncio.to_thread(_helm, home, "template", "floor", str(chart))  # reads the program from disk
        floor = await asyncio.to_thread(_helm, home, "template", "floor", str(chart))
        server = ("--kubeconfig", str(kubeconfig), "-n", NAMESPACE)
        async with temporary_namespace(client, NAMESPACE):
            taken = []
            for number in range(INSTALLS + 1):
                release = f"bench-{number}"
                taken.append(await asyncio.to_thread(_helm, home, "install", release, str(chart), *server))
                await asyncio.to_thread(_helm, home, "uninstall", release, *server)
    return Row(f"helm install, {sum(KINDS.values())} objects", statistics.median(taken[1:]), "s", floor, 1.5)


def _helm(home: Path, *words: str) -> float:
    """Run Helm; seconds."""
    environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
    start = time.perf_counter()
    done = subprocess.run([program_path("helm"), *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"helm {words[0]}: {done.stderr}")
    return time.perf_counter() - start


def _chart(folder: Path) -> Path:
    chart = folder / "thirty"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: thirty\nversion: 1.0.0\n")
    for kind, count in KINDS.items():
        for number in range(count):
            name = f"{kind.lower()}-{number}"
            (chart / "templates" / f"{name}.yaml").write_text(yaml.safe_dump(_object(kind, name)))
    return chart


def _object(kind: str, name: str) -> Obj:
    """One template. Deployments have no replicas: no container is started."""
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": "{{ .Release.Name }}"}
    metadata = {"name": "{{ .Release.Name }}-" + name, "labels": labels}
    container = {"name": "main", "image": "registry.example/bench:1.0", "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    rest: dict[str, Obj] = {
        "ConfigMap": {"data": {"text": "x" * 500}},
        "Secret": {"stringData": {"text": "x" * 100}},
        "ServiceAccount": {},
        "Service": {"spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}},
        "Deployment": {"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}},
    }
    return {"apiVersion": "apps/v1" if kind == "Deployment" else "v1", "kind": kind, "metadata": metadata, **rest[kind]}
