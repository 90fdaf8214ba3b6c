"""What reports are made of: usage of the machine, its pods and their containers at one moment. No wire form here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.node.access.containers import CONTAINER_NAME, POD_NAME, POD_NAMESPACE, POD_UID
from skerry.engine.node.access.metrics import Sampler
from skerry.engine.node.access.reports.volumes import local_volumes
from skerry.engine.node.access.usage import Reading, Sample, cpu_rate
from skerry.engine.node.access.volume_reports import VolumeFacts
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.pressure.measuring import size
from skerry.kube.records import record

_UNIMPLEMENTED = "UNIMPLEMENTED"


@record
class Usage:
    """CPU time used so far (nanoseconds) and now (billionths of a core); memory in bytes."""

    cpu: int
    rate: int
    used: int
    working_set: int
    rss: int


@record
class Disk:
    """A file system in bytes and inodes; `used` may be of a part of it."""

    capacity: int
    available: int
    used: int
    inodes: int
    inodes_free: int
    inodes_used: int


@record
class Traffic:
    """What an interface has received and sent, in bytes and errors."""

    interface: str
    received: int
    received_errors: int
    sent: int
    sent_errors: int


@record
class ContainerFacts:
    """One running container. `disk_used` and `inodes_used`: of its writable layer; `log_used`: of its logs; bytes."""

    id: str
    name: str
    image: str
    started: datetime
    usage: Usage
    disk_used: int = 0
    inodes_used: int = 0
    log_used: int = 0


@record
class PodFacts:
    """One pod that runs."""

    name: str
    namespace: str
    uid: str
    started: datetime
    containers: Sequence[ContainerFacts] = ()
    traffic: Traffic | None = None
    volumes: Sequence[VolumeFacts] = ()


@record
class NodeFacts:
    """The machine."""

    name: str
    at: datetime
    usage: Usage
    memory_available: int
    cores: int
    memory: int
    pods: Sequence[PodFacts] = ()
    disk: Disk | None = None
    volumes: Sequence[VolumeFacts] = ()
    """Those that outlive their pods; the pods have them too."""


@dataclass(slots=True)
class _Found:
    """What the runtime says."""

    sandboxes: Sequence[pb.PodSandbox]
    containers: Sequence[pb.Container]
    layers: dict[str, pb.FilesystemUsage] = field(default_factory=dict)
    traffic: dict[str, Traffic] = field(default_factory=dict)
    volumes: Sequence[VolumeFacts] = ()


async def gather(
    cri: CriClient, sampler: Sampler, config: EngineConfig, volumes: Sequence[VolumeFacts] = (), *, disks: bool
) -> NodeFacts:
    """The present facts. `volumes`: those that outlive pods. `disks`: with what costs more, file systems and
    networks. Raises CriError."""
    found = await _found(cri)
    found.volumes = volumes
    if disks:
        found.layers = {one.attributes.id: one.writable_layer for one in await cri.list_container_stats()}
        found.traffic = await _traffic(cri)
    pair = await sampler.pair([one.id for one in found.containers])
    return await asyncio.to_thread(_facts, config, found, pair, disks)


async def _found(cri: CriClient) -> _Found:
    sandboxes = [one for one in await cri.list_pod_sandboxes() if one.state == pb.SANDBOX_READY]
    listed = await cri.list_containers()
    return _Found(
        sandboxes, [one for one in listed if one.state == pb.CONTAINER_RUNNING and CONTAINER_NAME in one.labels]
    )


async def _traffic(cri: CriClient) -> dict[str, Traffic]:
    """By sandbox; of none when the runtime does not measure it."""
    try:
        stats = await cri.list_pod_sandbox_stats()
    except CriError as error:
        if error.code != _UNIMPLEMENTED:
            raise
        return {}
    found = {}
    for one in stats:
        used = one.linux.network.default_interface
        if used.name:
            figures = (used.rx_bytes.value, used.rx_errors.value, used.tx_bytes.value, used.tx_errors.value)
            found[one.attributes.id] = Traffic(used.name, *figures)
    return found


def _facts(config: EngineConfig, found: _Found, pair: tuple[Sample, Sample], disks: bool) -> NodeFacts:
    before, after = pair
    by_sandbox: dict[str, list[pb.Container]] = {}
    for container in found.containers:
        if container.id in before.containers and container.id in after.containers:
            by_sandbox.setdefault(container.pod_sandbox_id, []).append(container)
    pods = [
        _pod(config, found, pair, sandbox, by_sandbox.get(sandbox.id, []), disks)
        for sandbox in found.sandboxes
        if POD_UID in sandbox.labels
    ]
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    usage = _usage(before.node, after.node, after.at - before.at)
    return NodeFacts(
        name=config.node_name,
        at=config.clock.now(),
        usage=usage,
        memory_available=max(0, total - usage.working_set),
        cores=os.cpu_count() or 1,
        memory=total,
        pods=pods,
        disk=_disk(config.paths.data) if disks else None,
        volumes=found.volumes,
    )


def _pod(
    config: EngineConfig,
    found: _Found,
    pair: tuple[Sample, Sample],
    sandbox: pb.PodSandbox,
    containers: Sequence[pb.Container],
    disks: bool,
) -> PodFacts:
    labels: Mapping[str, str] = sandbox.labels
    name, namespace, uid = labels[POD_NAME], labels[POD_NAMESPACE], labels[POD_UID]
    logs = config.paths.pod_logs / f"{namespace}_{name}_{uid}" if disks else None
    measured = [_container(one, found, pair, logs) for one in sorted(containers, key=_container_name)]
    volumes = [one for one in found.volumes if one.pod_uid == uid]
    if disks:
        volumes += local_volumes(config.paths.pods, (namespace, uid), [one.name for one in volumes])
    traffic = found.traffic.get(sandbox.id)
    return PodFacts(name, namespace, uid, _moment(sandbox.created_at), measured, traffic, volumes)


def _container(one: pb.Container, found: _Found, pair: tuple[Sample, Sample], logs: Path | None) -> ContainerFacts:
    before, after = pair
    layer = found.layers.get(one.id)
    return ContainerFacts(
        id=one.id,
        name=_container_name(one),
        image=one.image.image,
        started=_moment(one.created_at),
        usage=_usage(before.containers[one.id], after.containers[one.id], after.at - before.at),
        disk_used=layer.used_bytes.value if layer is not None else 0,
        inodes_used=layer.inodes_used.value if layer is not None else 0,
        log_used=size(logs / _container_name(one)) if logs is not None else 0,
    )


def _container_name(one: pb.Container) -> str:
    return str(one.labels[CONTAINER_NAME])


def _usage(before: Reading, after: Reading, seconds: float) -> Usage:
    return Usage(after.cpu, cpu_rate(before, after, seconds), after.used, after.memory, after.rss)


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


def _disk(where: Path) -> Disk:
    found = os.statvfs(where)
    return Disk(
        capacity=found.f_blocks * found.f_frsize,
        available=found.f_bavail * found.f_frsize,
        used=(found.f_blocks - found.f_bfree) * found.f_frsize,
        inodes=found.f_files,
        inodes_free=found.f_ffree,
        inodes_used=found.f_files - found.f_ffree,
    )
