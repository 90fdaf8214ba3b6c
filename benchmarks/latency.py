"""What a Service costs a request between pods, and how soon a new endpoint of it is reached.

The floor of the first is the same request without the Service. The second is the time from the pod being Ready, as a
watch shows it, to the first connection through the Service; its floor is an `nft` that loads one changed service.
"""

from __future__ import annotations

import asyncio
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.support.images import BUSYBOX
from tests.support.program import Program

from benchmarks.latency_probe import PORT
from benchmarks.namespaces import temporary_namespace
from benchmarks.results import Row
from benchmarks.service_rules import one_change
from skerry.kube.client import Selection, WatchEvent
from skerry.kube.conditions import condition_is_true
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, PODS, SERVICES

NAMESPACE = "skerry-latency"
LIMIT = 120.0
"""Seconds after which it has failed."""
_GATE = "benchmarks.skerry.dev/open"
_TIMES = 15
_QUIET = 0.5  # seconds: while changes follow each other closely, rules are loaded some time apart on purpose
_MOUNTS = {"probe": "/probe", "usr": "/usr", "lib": "/lib", "lib64": "/lib64"}
_HOST = {"usr": "/usr", "lib": "/usr/lib", "lib64": "/usr/lib64"}  # the machine's own Python


async def measure(program: Program, client: HttpClient) -> list[Row]:
    """Both rows."""
    async with temporary_namespace(client, NAMESPACE), asyncio.timeout(LIMIT):
        await _make_pods(client)
        service = await client.create(SERVICES, _service())
        return [await _of_requests(program, client, service), await _of_endpoints(client, service)]


async def _of_requests(program: Program, client: HttpClient, service: Obj) -> Row:
    await _open(client, True)
    await _reached(service)
    pod = await client.get(PODS, "server", NAMESPACE)
    addresses = [pod["status"]["podIP"], service["spec"]["clusterIP"]]
    ask = ["exec", "client", "--", "sh", "-c", f"python3 /probe/probe.py ask {' '.join(addresses)}"]
    done = await asyncio.to_thread(program.kubectl, "-n", NAMESPACE, *ask)
    direct, through = (json.loads(done.stdout)[address] for address in addresses)
    return Row("request to a pod by its service", through, "us", direct, direct * 1.05)


async def _of_endpoints(client: HttpClient, service: Obj) -> Row:
    times = []
    for _ in range(_TIMES):
        await _open(client, False)
        while await _answers(service):
            await asyncio.sleep(0.01)
        await asyncio.sleep(_QUIET)
        await _open(client, True)
        ready = time.perf_counter()
        await _reached(service)
        times.append((time.perf_counter() - ready) * 1000)
    return Row("new endpoint reached after ready", statistics.median(times), "ms", await _nft_alone(), 50)


async def _open(client: HttpClient, yes: bool) -> None:
    """Have the pod be ready or not; returns when a watch says that it is so."""
    known = await client.get(PODS, "server", NAMESPACE)
    selection = Selection(field_selector="metadata.name=server")
    version = known["metadata"]["resourceVersion"]
    condition = {"type": _GATE, "status": str(yes)}
    async with client.watch(PODS, NAMESPACE, selection=selection, resource_version=version) as events:
        await client.patch(PODS, "server", {"status": {"conditions": [condition]}}, NAMESPACE, subresource="status")
        await _until_ready(events, yes)


async def _until_ready(events: AsyncIterator[WatchEvent], yes: bool) -> None:
    async for event in events:
        if condition_is_true(event.object, "Ready") == yes:
            return


async def _reached(service: Obj) -> None:
    while not await _answers(service):
        await asyncio.sleep(0.001)


async def _answers(service: Obj) -> bool:
    """Whether the Service takes a connection; without endpoints it refuses at once."""
    with socket.socket() as connection:
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(connection, (service["spec"]["clusterIP"], PORT))
        except ConnectionRefusedError:
            return False
    return True


async def _nft_alone() -> float:
    command = ["unshare", "--net", sys.executable, "-c", f"import {one_change.__module__} as m; print(m.one_change())"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    return float(done.stdout)


async def _make_pods(client: HttpClient) -> None:
    text = (Path(__file__).parent / "latency_probe.py").read_text()
    await client.create(
        CONFIG_MAPS, {"metadata": {"name": "probe", "namespace": NAMESPACE}, "data": {"probe.py": text}}
    )
    await client.create(PODS, _pod("client", "exec sleep 1000000"))
    await client.create(PODS, _pod("server", "exec python3 /probe/probe.py serve", gate=_GATE))
    for name in ("client", "server"):
        await _running(client, name)


async def _running(client: HttpClient, name: str) -> None:
    selection = Selection(field_selector=f"metadata.name={name}")
    known = await client.list(PODS, NAMESPACE, selection=selection)
    if any(condition_is_true(pod, "ContainersReady") for pod in known.items):
        return
    version = known.resource_version
    async with client.watch(PODS, NAMESPACE, selection=selection, resource_version=version) as events:
        async for event in events:
            if condition_is_true(event.object, "ContainersReady"):
                return


def _pod(name: str, command: str, gate: str = "") -> Obj:
    probe = {"tcpSocket": {"port": PORT}, "periodSeconds": 1}
    container: dict[str, Any] = {
        "name": "main",
        "image": BUSYBOX,
        "command": ["sh", "-c", command],
        "env": [{"name": "PATH", "value": "/usr/local/bin:/usr/bin:/bin"}],
        "volumeMounts": [{"name": volume, "mountPath": where, "readOnly": True} for volume, where in _MOUNTS.items()],
        **({"readinessProbe": probe} if gate else {}),
    }
    volumes: list[Obj] = [{"name": volume, "hostPath": {"path": where}} for volume, where in _HOST.items()]
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
    return {
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"app": name}},
        "spec": {
            **spec,
            "volumes": [*volumes, {"name": "probe", "configMap": {"name": "probe"}}],
            "readinessGates": [{"conditionType": gate}] if gate else [],
        },
    }


def _service() -> Obj:
    ports = [{"port": PORT, "targetPort": PORT}]
    return {
        "metadata": {"name": "server", "namespace": NAMESPACE},
        "spec": {"selector": {"app": "server"}, "ports": ports},
    }
