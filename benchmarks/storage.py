"""Local volumes: a claim until it is mounted, snapshots, two hundred claims, and fio beside the host's file system.

The floor of a mounted claim is the same by hand: an image made, formatted, synced and mounted. fio runs in the
instance's mount namespace on a volume, and in a directory of the host by turns, so that what else the machine does
disturbs both.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.program import Program

from benchmarks.namespaces import temporary_namespace
from benchmarks.results import Row
from skerry.engine.definitions.snapshots import VOLUME_SNAPSHOTS as SNAPSHOTS
from skerry.kube.client import Selection
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS as CLAIMS
from skerry.kube.resources import PODS, STORAGE_CLASSES

NAMESPACE = "bench-storage"
LIMIT = 300.0
"""Seconds after which it has failed."""
_TIMES, _MANY = 7, 200
_ROUNDS, _SECONDS = 3, 2
_WORK = {
    "4k random writes": ("--rw=randwrite", "--bs=4k", "--iodepth=16", "--ioengine=libaio", "--direct=1"),
    "4k random reads": ("--rw=randread", "--bs=4k", "--iodepth=16", "--ioengine=libaio", "--direct=1"),
    "1M sequential writes": ("--rw=write", "--bs=1M", "--iodepth=4", "--ioengine=libaio", "--direct=1"),
    "1M sequential reads": ("--rw=read", "--bs=1M", "--iodepth=4", "--ioengine=libaio", "--direct=1"),
    "4k writes, each synced": ("--rw=randwrite", "--bs=4k", "--ioengine=psync", "--fsync=1"),
}


async def measure(program: Program, client: HttpClient) -> list[Row]:
    """All rows."""
    immediate = {"metadata": {"name": NAMESPACE}, "provisioner": "local.storage.skerry.dev"}
    await client.create(STORAGE_CLASSES, {**immediate, "volumeBindingMode": "Immediate"})
    try:
        async with temporary_namespace(client, NAMESPACE), asyncio.timeout(LIMIT):
            mounted = await _mounted(program, client)
            snapshot = await _median(lambda number: _snapshot(client, number))
            rows = [
                Row("claim to bound and mounted", mounted, "ms", await asyncio.to_thread(_by_hand), 150),
                Row("snapshot of a claim", snapshot, "ms", None, 50),
            ]
            place = _place(program, await client.get(PODS, "claim-0", NAMESPACE))
            assert place is not None
            rows += await asyncio.to_thread(_fio, program, place)
            return [*rows, await _many(client)]
    finally:
        await client.delete(STORAGE_CLASSES, NAMESPACE)


async def _median(one: Callable[[int], Awaitable[float]]) -> float:
    return statistics.median([await one(number) for number in range(_TIMES)]) * 1000


async def _mounted(program: Program, client: HttpClient) -> float:
    """The pod's containers need not start for its volume to be there; while they do, nothing is measured."""
    await _until_mounted(program, client, "first")  # the pool is made with the first claim

    async def one(number: int) -> float:
        return await _until_mounted(program, client, f"claim-{number}")

    return await _median(one)


async def _until_mounted(program: Program, client: HttpClient, name: str) -> float:
    begun = time.perf_counter()
    await client.create(CLAIMS, _claim(name), NAMESPACE)
    pod = await client.create(PODS, _pod(name), NAMESPACE)
    while _place(program, pod) is None:
        await asyncio.sleep(0.002)
    passed = time.perf_counter() - begun
    await _until_all(client, PODS, {name}, lambda one: (one.get("status") or {}).get("phase") == "Running")
    return passed


async def _snapshot(client: HttpClient, number: int) -> float:
    begun = time.perf_counter()
    snapshot = {"metadata": {"name": f"s{number}"}, "spec": {"source": {"persistentVolumeClaimName": "claim-0"}}}
    await client.create(SNAPSHOTS, snapshot, NAMESPACE)
    await _until_all(client, SNAPSHOTS, {f"s{number}"}, lambda one: (one.get("status") or {}).get("readyToUse"))
    return time.perf_counter() - begun


async def _many(client: HttpClient) -> Row:
    names = {f"many-{number}" for number in range(_MANY)}
    begun = time.perf_counter()
    await asyncio.gather(*(client.create(CLAIMS, _claim(name, NAMESPACE), NAMESPACE) for name in names))
    await _until_all(client, CLAIMS, names, lambda one: (one.get("status") or {}).get("phase") == "Bound")
    return Row(f"{_MANY} claims provisioned", time.perf_counter() - begun, "s", None, 10)


async def _until_all(client: HttpClient, resource: Resource, names: set[str], holds: Callable[[Obj], object]) -> None:
    known = await client.list(resource, NAMESPACE)
    left = names - {one["metadata"]["name"] for one in known.items if holds(one)}
    selection = Selection()
    async with client.watch(
        resource, NAMESPACE, selection=selection, resource_version=known.resource_version
    ) as events:
        while left:
            event = await anext(events)
            if holds(event.object):
                left.discard(event.object["metadata"]["name"])


def _by_hand() -> float:
    """Milliseconds of mkfs, mount and sync, in a mount namespace that takes everything back."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        script = f"truncate -s 1G {folder}/i && mkfs.xfs -q -K {folder}/i && mkdir {folder}/m && sync {folder}/i && "
        begun = time.perf_counter()
        subprocess.run(["unshare", "--mount", "sh", "-c", f"{script} mount -o loop {folder}/i {folder}/m"], check=True)
        return (time.perf_counter() - begun) * 1000


def _place(program: Program, pod: Obj) -> Path | None:
    """Where the pod's volume is mounted, None as long as it is not."""
    below = f"/{pod['metadata']['uid']}/volumes/kubernetes.io~csi/"
    lines = Path(f"/proc/{program.engine_pid()}/mountinfo").read_text().splitlines()
    points = [line.split()[4] for line in lines if below in line]
    return Path(points[0]) if points else None


def _fio(program: Program, place: Path) -> list[Row]:
    inside = ["nsenter", f"--mount=/proc/{program.engine_pid()}/ns/mnt", "--"]
    rows = []
    with tempfile.TemporaryDirectory(dir=program.data_dir) as beside:
        for name, options in _WORK.items():
            found = [
                (_operations(inside, place, options), _operations([], Path(beside), options)) for _ in range(_ROUNDS)
            ]
            ours, host = (statistics.median(one) for one in zip(*found, strict=True))
            rows.append(Row(f"{name} on a local volume", ours, "/s", host, round(0.9 * host)))
    return rows


def _operations(where: list[str], directory: Path, options: tuple[str, ...]) -> float:
    """Operations a second."""
    command = ["fio", "--name=bench", "--size=256M", "--time_based", f"--runtime={_SECONDS}", "--output-format=json"]
    done = subprocess.run(
        [*where, *command, f"--filename={directory}/bench", *options], capture_output=True, check=True
    )
    job = json.loads(done.stdout)["jobs"][0]
    return float(job["read"]["iops"] + job["write"]["iops"])


def _claim(name: str, storage_class: str = "local") -> Obj:
    spec = {"storageClassName": storage_class, "accessModes": ["ReadWriteOnce"]}
    size = "1Gi" if storage_class == "local" else "16Mi"
    return {"metadata": {"name": name}, "spec": {**spec, "resources": {"requests": {"storage": size}}}}


def _pod(name: str) -> Obj:
    mounts = [{"name": "data", "mountPath": "/data"}]
    container = {"name": "main", "image": "busybox:test", "command": ["sleep", "100000"], "volumeMounts": mounts}
    return {
        "metadata": {"name": name},
        "spec": {
            "containers": [container],
            "terminationGracePeriodSeconds": 0,
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}],
        },
    }
