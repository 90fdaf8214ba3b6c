"""`NodePodAccess`: everything the API server may do with pods of this machine (the contract `engine.api.pod_access`).

Holds one connection each to CRI and to containerd's own API; both are made at the first use and made anew after
containerd was restarted. Only `metrics` keeps something between calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.engine.config import EngineConfig
from skerry.engine.node.access import containers, metrics
from skerry.engine.node.access.attach_session import AttachSession, open_attach
from skerry.engine.node.access.exec_session import ExecSession, RefusedCommand, open_exec
from skerry.engine.node.access.log_reader import read_log
from skerry.engine.node.access.metrics import Sampler
from skerry.engine.node.access.port_forward import Streams, open_port
from skerry.engine.node.access.usage import UsageReader
from skerry.engine.node.access.volume_reports import NoVolumes, VolumeReports
from skerry.engine.node.containerd.client import ContainerdCallError, ContainerdClient
from skerry.engine.node.cri import cri_pb2 as pb
from skerry.engine.node.cri.client import CriClient, CriError
from skerry.engine.node.cri.ends import ended_container
from skerry.kube.errors import InternalError
from skerry.kube.objects import Obj
from skerry.kube.pod_streams import LogOptions, StreamOptions

if TYPE_CHECKING:
    from skerry.engine.node.access.reports.facts import NodeFacts

_RECONNECT = 0.5  # seconds


class NodePodAccess:
    """One node's pods: one object per engine. Use it from one event loop; `close` when done.

    Methods raise `kube.errors.StatusError`. `storage` tells of volumes that outlive pods; it comes after the API does.
    """

    storage: VolumeReports = NoVolumes()

    def __init__(self, config: EngineConfig) -> None:
        self._config = config
        self._cri = CriClient(config.paths.containerd_socket)
        self._containerd = ContainerdClient(config.paths.containerd_socket)
        self._sampler = Sampler(UsageReader(config.cgroup))
        self._pipes = config.paths.run / "exec"
        shutil.rmtree(self._pipes, ignore_errors=True)  # of sessions that an engine killed with -9 had open

    async def close(self) -> None:
        """Drop the connections; sessions that still run break."""
        await self._cri.close()
        await self._containerd.close()

    async def exec(
        self, pod: Obj, container: str, command: Sequence[str], options: StreamOptions
    ) -> ExecSession | RefusedCommand:
        """Start a command in a running container."""
        found = await containers.running(self._cri, pod, container)
        return await open_exec(self._containerd, found.id, command, options, self._pipes)

    async def attach(self, pod: Obj, container: str, options: StreamOptions) -> AttachSession:
        """Join the container's own streams."""
        found = await containers.running(self._cri, pod, container)
        return await open_attach(self._cri, found.id, options)

    async def port_forward(self, pod: Obj, port: int) -> Streams:
        """A TCP connection to a port inside the pod's network."""
        return await open_port(self._cri, pod, port)

    async def logs(self, pod: Obj, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Chunks of log text; with `follow` until the container ends."""
        found = await containers.logged(self._cri, pod, container, options.previous)
        path = await self._log_path(found.id)

        async def ended() -> None:
            await self._log_is_complete(found.id)

        async for chunk in read_log(path, options, self._now(), ended):
            yield chunk

    async def pod_metrics(self) -> Sequence[Obj]:
        """PodMetrics of all running pods."""
        try:
            sandboxes = await self._cri.list_pod_sandboxes()
            running = await self._running_containers()
        except CriError as error:
            raise InternalError(f"the container runtime does not answer: {error}") from error
        pair = await self._sampler.pair([one.id for one in running])
        return metrics.pod_metrics(sandboxes, running, pair, self._now())

    async def node_metrics(self) -> Sequence[Obj]:
        """NodeMetrics of this machine; also while containerd is away."""
        known: list[str] = []  # sampled with the node, so that a question for pods that follows is answered at once
        with contextlib.suppress(CriError):
            known = [one.id for one in await self._running_containers()]
        labels = {"kubernetes.io/hostname": self._config.node_name}
        return [metrics.node_metrics(self._config.node_name, labels, await self._sampler.pair(known), self._now())]

    async def summary(self) -> Obj:
        """The kubelet's Summary of this machine and its pods."""
        from skerry.engine.node.access.reports.summary import summary

        return summary(await self._facts(disks=True, volumes=True))

    async def metrics_page(self, page: str) -> str:
        """Prometheus text: "" for what the agent says of itself, "resource" or "cadvisor" for what its pods use."""
        from skerry.engine.node.access.reports import prometheus

        write = {"resource": prometheus.resource_page, "cadvisor": prometheus.container_page}
        own = page not in write
        return write.get(page, prometheus.own_page)(await self._facts(disks=page == "cadvisor", volumes=own))

    async def running_pods(self) -> Obj:
        """A PodList of what the runtime runs, whatever the API says."""
        from skerry.engine.node.access.reports.running import running_pods

        return running_pods(await self._facts(disks=False))

    async def _facts(self, *, disks: bool, volumes: bool = False) -> NodeFacts:
        from skerry.engine.node.access.reports.facts import gather

        mounted = await self.storage.volumes() if volumes else ()
        try:
            return await gather(self._cri, self._sampler, self._config, mounted, disks=disks)
        except CriError as error:
            raise InternalError(f"the container runtime does not answer: {error}") from error

    def _now(self) -> datetime:
        return self._config.clock.now()

    async def _running_containers(self) -> list[pb.Container]:
        listed = await self._cri.list_containers()
        return [one for one in listed if one.state == pb.CONTAINER_RUNNING and containers.CONTAINER_NAME in one.labels]

    async def _log_path(self, container_id: str) -> Path:
        try:
            return Path((await self._cri.container_status(container_id)).status.log_path)
        except CriError as error:
            raise InternalError(f"unable to retrieve container logs for containerd://{container_id}") from error

    async def _log_is_complete(self, container_id: str) -> None:
        """Return when the container has ended and the runtime has written all of its log."""
        while True:
            try:
                await self._containerd.wait(container_id)
            except ContainerdCallError as error:
                if error.code == "UNAVAILABLE":  # containerd is being restarted; the container runs on
                    await asyncio.sleep(_RECONNECT)
                    continue
            break
        with contextlib.suppress(CriError):  # a runtime that has gone away writes no log any more
            await ended_container(self._cri, container_id)
