"""What pods use now: memory from their cgroups, disk from the file system and the runtime. Blocking parts in a thread.

Neighbours: `evictor`, which asks only when it matters; `ranking.PodUsage` is the answer.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from skerry.engine.node.access.usage import UsageReader
from skerry.engine.node.context import NodeContext
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.pods.state import ContainerRecord
from skerry.engine.node.pressure.ranking import PodUsage
from skerry.engine.node.spec.sandbox import pod_log_directory
from skerry.kube.objects import Obj, uid_of

Running = Sequence[tuple[Obj, Sequence[ContainerRecord]]]
"""Pods with their running containers."""


async def usages(context: NodeContext, running: Running) -> list[PodUsage]:
    """Of each pod. Raises CriError."""
    layers = {stats.attributes.id: stats.writable_layer.used_bytes.value for stats in await _stats(context)}
    return await asyncio.to_thread(_measured, context, running, layers)


async def _stats(context: NodeContext) -> Sequence[pb.ContainerStats]:
    return await context.cri.list_container_stats()


def _measured(context: NodeContext, running: Running, layers: dict[str, int]) -> list[PodUsage]:
    ids = [record.id for _, records in running for record in records]
    sample = UsageReader(context.config.cgroup).sample(ids).containers
    found = []
    for pod, records in running:
        logs = pod_log_directory(context.config.paths.pod_logs, pod)
        memory = {record.name: sample[record.id].memory for record in records if record.id in sample}
        disk = {record.name: layers.get(record.id, 0) + size(logs / record.name) for record in records}
        found.append(PodUsage(pod, memory, disk, _volumes(context, pod)))
    return found


def _volumes(context: NodeContext, pod: Obj) -> dict[str, int]:
    directory = context.volumes.pod_directory(uid_of(pod)) / "volumes"
    on_disk = [
        volume["name"]
        for volume in pod["spec"].get("volumes") or ()
        if "emptyDir" in volume and (volume["emptyDir"] or {}).get("medium") != "Memory"
    ]
    return {name: size(directory / name) for name in on_disk}


def size(directory: Path) -> int:
    """Bytes on disk of everything below, on the same file system; hard links count once."""
    seen: set[int] = set()
    total = 0
    for path, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if not os.path.ismount(os.path.join(path, name))]
        for name in files:
            try:
                status = os.lstat(os.path.join(path, name))
            except OSError:
                continue
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                total += status.st_blocks * 512
    return total
