"""The node agent: registers this machine as a node and runs the pods bound to it (what the kubelet does).

Neighbours: containerd below through `cri` and its event stream, the API above through a client and informers that
`program` starts. Invariants: `close` leaves every container running, and the next agent adopts them by their labels.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import field
from functools import partial
from pathlib import Path

from skerry.engine.config import EngineConfig
from skerry.engine.node.backoff import BackOff
from skerry.engine.node.cgroups import PodCgroups
from skerry.engine.node.containerd.client import ContainerdClient
from skerry.engine.node.containerd.failure import ContainerdError
from skerry.engine.node.containerd.strays import end_strays
from skerry.engine.node.context import NodeContext, Slots
from skerry.engine.node.cri.client import CriClient, CriError, wait_until_answering
from skerry.engine.node.heartbeat import Heartbeat, Measures
from skerry.engine.node.log_rotation import rotate
from skerry.engine.node.machine import Machine, Pressure, read_machine, read_pressure
from skerry.engine.node.node_object import allocatable
from skerry.engine.node.objects import ObjectReader, ObjectWatch
from skerry.engine.node.pod_network import PodNetwork, UnguardedNetwork
from skerry.engine.node.pod_storage import NoPodStorage, PodStorage
from skerry.engine.node.pods.manager import PodManager
from skerry.engine.node.pressure.evictor import Evictor
from skerry.engine.node.pressure.images import ImageCleaner
from skerry.engine.node.pressure.watch import PressureWatch
from skerry.engine.node.probes.prober import Prober
from skerry.engine.node.pulling.puller import Puller
from skerry.engine.node.runtime_events import follow
from skerry.engine.node.spec.dns import ClusterDns, Resolver, parse_resolv_conf
from skerry.engine.node.spec.downward import NodeFacts
from skerry.engine.node.spec.environment import Reference
from skerry.engine.node.status.writer import StatusWriter
from skerry.engine.node.volumes.manager import VolumeManager
from skerry.engine.node.volumes.tokens import PodTokens
from skerry.kube.client import Client
from skerry.kube.clock import ClockWatch
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers
from skerry.kube.records import record
from skerry.kube.resources import PODS, SERVICES

log = logging.getLogger(__name__)

_RUNTIME_PATIENCE = 60.0  # seconds the runtime may take to answer at the start
_HOUSEKEEPING_SECONDS = 10.0
_SUBSCRIBE_SECONDS, _LAG_SECONDS, _RECONNECT_SECONDS = 0.02, 1.0, 0.1
_SANDBOXES, _CONTAINERS, _STOPS = 6, 8, 8  # measured: docs/decisions
_RESOLV_CONF = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))


def _machine_resolver() -> Resolver:
    """Read for every pod: machines move between networks. A resolver on the loopback interface does not exist in a pod:
    the one behind systemd's is used."""
    path = next((path for path in _RESOLV_CONF if path.exists()), None)
    return parse_resolv_conf(path.read_text() if path else "")


@record
class Runtime:
    """What pods run on: CRI, containerd's own API for its events, and what the machine has left (given the directory
    of images and volumes)."""

    cri: CriClient
    containerd: ContainerdClient
    pressure: Callable[[Path], Pressure] = read_pressure
    store_trouble: Callable[[], str] = str
    """Why the API's store refuses most writes, "" while it does not."""
    network: PodNetwork = field(default_factory=UnguardedNetwork)
    storage: PodStorage = field(default_factory=NoPodStorage)


class NodeAgent:
    """Make it before the informers are started (it asks for those of pods and services), `start` it after.
    `cluster_dns`: the address of the cluster's DNS server, "" while there is none."""

    def __init__(
        self,
        config: EngineConfig,
        client: Client,
        informers: Informers,
        recorder: Recorder,
        runtime: Runtime,
        cluster_dns: str = "",
    ) -> None:
        self._config = config
        self._client = client
        self._watcher = informers.client  # a node may watch single objects only; a name that changed is no secret
        self._runtime = runtime
        self._recorder = recorder
        self._cluster_dns = cluster_dns
        self._pods = informers.of(PODS)
        self._services = informers.of(SERVICES)
        self._tasks: list[asyncio.Task[None]] = []
        self._context: NodeContext | None = None
        self._manager: PodManager | None = None
        self._heartbeat: Heartbeat | None = None
        self._evictor: Evictor | None = None
        self._clock_watch = ClockWatch(config.clock)
        self._second_look: asyncio.TimerHandle | None = None
        runtime.storage.listen(self._storage_changed)

    async def start(self) -> None:
        """Returns when the node is registered (Ready, if the runtime is) and running pods are adopted. Raises CriError
        when the runtime does not answer, StatusError when the API refuses the node."""
        machine = read_machine(self._config.paths.data)
        await wait_until_answering(self._runtime.cri, _RUNTIME_PATIENCE)
        context = self._context = self._make_context(machine)
        self._manager = PodManager(context, self._pods)
        measures = Measures(machine, context.pressure, self._runtime.store_trouble, context.volumes.in_use)
        self._heartbeat = Heartbeat(self._config, self._client, self._runtime.cri, measures)
        node = await self._heartbeat.start()
        self._evictor = Evictor(context, self._manager, ImageCleaner(context, node))
        self._tasks = [
            asyncio.create_task(self._follow_runtime(), name="runtime events"),
            asyncio.create_task(self._keep_house(), name="housekeeping"),
        ]
        await self._manager.started.wait()

    async def close(self) -> None:
        """Let go of everything; containers go on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._second_look:
            self._second_look.cancel()
        if self._heartbeat:
            await self._heartbeat.close()
        if self._manager:
            await self._manager.close()
        if self._context:
            await self._context.prober.close()
            await self._context.object_watch.close()
            await self._context.statuses.close()

    def check_now(self) -> None:
        """Something the node tells of has changed."""
        if self._heartbeat:
            self._heartbeat.check_now()

    async def look_after_resources(self) -> None:
        """Measure, evict pods and remove images where that is needed, and tell of it. Done every ten seconds."""
        if self._evictor is None or self._context is None or self._heartbeat is None:
            return
        before = self._context.pressure.held
        await self._evictor.look()
        if self._context.pressure.held != before:
            self._heartbeat.check_now()

    def _make_context(self, machine: Machine) -> NodeContext:
        config, cri, clock = self._config, self._runtime.cri, self._config.clock
        reader = ObjectReader(self._client)
        return NodeContext(
            config=config,
            client=self._client,
            cri=cri,
            recorder=self._recorder,
            services=self._services,
            pods=self._pods,
            reader=reader,
            object_watch=ObjectWatch(self._watcher, self._object_changed),
            puller=Puller(cri, self._recorder, clock, config.paths),
            prober=Prober(cri, self._recorder, clock),
            volumes=VolumeManager(config.paths.pods, reader, PodTokens(self._client, clock), self._runtime.storage),
            statuses=StatusWriter(self._client),
            cgroups=PodCgroups(config.cgroup),
            crashes=BackOff(),
            node=NodeFacts(config.node_name, self._addresses(machine), allocatable(machine)),
            machine_memory=machine.memory,
            dns=self._dns(),
            pressure=PressureWatch(partial(self._runtime.pressure, config.paths.data), clock),
            slots=Slots(asyncio.Semaphore(_SANDBOXES), asyncio.Semaphore(_CONTAINERS), asyncio.Semaphore(_STOPS)),
            network=self._runtime.network,
        )

    def _addresses(self, machine: Machine) -> tuple[str, ...]:
        return tuple(filter(None, (machine.ip, self._config.node_ip6)))

    def _dns(self) -> ClusterDns:
        return ClusterDns(self._cluster_dns, self._config.cluster_domain, _machine_resolver)

    def _object_changed(self, namespace: str, reference: Reference | None) -> None:
        if self._manager:
            self._manager.object_changed(namespace, reference)

    def _storage_changed(self, uid: str) -> None:
        if self._manager:
            self._manager.storage_changed(uid)

    async def _follow_runtime(self) -> None:
        """Hand exits to the pods, and tell of images. When the stream breaks, wait for the runtime and ask about
        everything, because events were missed: twice, because CRI shows an end only some time after its event."""
        assert self._manager is not None
        while True:
            reading = asyncio.create_task(self._read_events(self._manager))
            try:
                await asyncio.sleep(_SUBSCRIBE_SECONDS)  # the subscription comes before the questions
                await self._manager.sync()
                await end_strays(self._runtime.containerd, self._config.paths.containerd_socket)
                await asyncio.sleep(_LAG_SECONDS)
                await self._manager.sync()
                await reading
            except (CriError, ContainerdError, OSError) as error:
                log.warning("runtime events broke off: %s", error)
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
            self.check_now()
            await asyncio.sleep(_RECONNECT_SECONDS)
            with contextlib.suppress(CriError):
                await wait_until_answering(self._runtime.cri, _RUNTIME_PATIENCE)

    async def _read_events(self, manager: PodManager) -> None:
        await follow(self._runtime.containerd, manager.exited, self._images_changed)

    def _images_changed(self) -> None:
        """Tell of them now, so that nobody is told that what was just built is missing; and once more when CRI is sure
        to have seen it."""
        self.check_now()
        if self._second_look is not None:
            self._second_look.cancel()
        self._second_look = asyncio.get_running_loop().call_later(_LAG_SECONDS, self.check_now)

    def _look_at_the_clock(self) -> None:
        """Tokens are good by the wall clock: one that was set may have ended them, or begin them later only."""
        moved = self._clock_watch.look()
        if moved and self._manager:
            log.warning("the clock was set by %+.0f seconds", moved.total_seconds())
            self._manager.look_again()

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)
            await self.look_after_resources()
            self._look_at_the_clock()
            for container_id, path in self._manager.running_logs() if self._manager else ():
                with contextlib.suppress(OSError):
                    await rotate(self._runtime.cri, container_id, path, self._config.clock.now())
