"""The engine as an object: store, API, machine (network, containerd), controllers, services, node agent; and back.

Invariants: a step that fails takes back the steps before it; leaving the `async with` ends everything but
containerd and the pods. API and machine are made ready side by side, because neither needs the other.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from skerry.engine.api.local import LocalClient
from skerry.engine.api.server import ApiServer
from skerry.engine.certificates.helper.process import Helper
from skerry.engine.config import EngineConfig
from skerry.engine.controllers.all import make_controllers
from skerry.engine.controllers.certmanager.all import make_certificate_controllers
from skerry.engine.definitions.all import ALL
from skerry.engine.definitions.installing import install
from skerry.engine.network.announcing.announcer import Announcer
from skerry.engine.network.bandwidth.keeper import BandwidthKeeper
from skerry.engine.network.cni import write_cni
from skerry.engine.network.dns.cluster_server import ClusterDnsServer
from skerry.engine.network.health_checks import HealthChecks
from skerry.engine.network.ingress.cluster_ingress import ClusterIngress
from skerry.engine.network.policy.keeper import PolicyKeeper
from skerry.engine.network.proxy import ServiceProxy
from skerry.engine.node.access.pod_access import NodePodAccess
from skerry.engine.node.agent import NodeAgent, Runtime
from skerry.engine.node.containerd.client import ContainerdClient
from skerry.engine.node.containerd.images import ensure_pause_image
from skerry.engine.node.containerd.supervisor import ContainerdSupervisor
from skerry.engine.node.cri.client import CriClient
from skerry.engine.node.pod_network import PodNetwork
from skerry.engine.program.companion import Companion
from skerry.engine.program.context import host_network, make_context
from skerry.engine.program.csi import make_csi, prepare_paths
from skerry.engine.program.pod_networks import PodNetworks
from skerry.engine.program.pod_volumes import PodVolumes
from skerry.engine.program.process import pid_file
from skerry.engine.program.status import StatusFile
from skerry.engine.program.storage import make_storage
from skerry.engine.program.volume_usage import make_volume_usage
from skerry.engine.schema.registry import builtin
from skerry.engine.storage.classes import install_classes
from skerry.engine.storage.registry import Drivers
from skerry.engine.store.sqlite import SqliteStore
from skerry.kube import event_loop
from skerry.kube.collecting import spare_collections
from skerry.kube.events import Recorder
from skerry.kube.informer import Informers

if TYPE_CHECKING:
    from skerry.engine.storage.mounting.pods import PodMounts

log = logging.getLogger(__name__)

_SWITCH = 0.001
"""Seconds a thread waits for the interpreter at most: a commit would wait for a busy event loop five times as long."""


def run(config: EngineConfig) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    sys.setswitchinterval(_SWITCH)
    event_loop.run(_run_until_told(config))
    return 0


async def _run_until_told(config: EngineConfig) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    status = StatusFile(config)
    with pid_file(config):
        async with Engine(config, status):
            status.ready()
            spare_collections()
            await told.wait()
            log.info("stopping; containerd and pods go on")
    status.stopped()


def _as_node(api: ApiServer) -> LocalClient:
    return api.client(f"system:node:{api.config.node_name}", "system:nodes")


class _Part(Protocol):
    """What is started, at once or in a while, and closed."""

    def start(self) -> Awaitable[None] | None: ...

    async def close(self) -> None: ...


class Engine:
    """One instance's engine, running inside its `async with`."""

    def __init__(self, config: EngineConfig, status: StatusFile) -> None:
        socket = config.paths.containerd_socket
        self.config = config
        self._status = status
        self._stack = AsyncExitStack()
        self._registry = builtin()
        self._supervisor = ContainerdSupervisor(config)
        self._cri = CriClient(socket)
        self._containerd = ContainerdClient(socket)
        self._access = NodePodAccess(config)

    async def __aenter__(self) -> Self:
        async with self._stack as stack:
            async with asyncio.TaskGroup() as group:
                starting = group.create_task(self._start_api())
                group.create_task(self._start_machine())
            with self._status.step("controllers, services and node"):
                await self._start_loops(*starting.result())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start_api(self) -> tuple[ApiServer, SqliteStore]:
        with self._status.step("store"):
            store = await SqliteStore.open(self.config.paths.database)
            self._stack.push_async_callback(store.close)
        with self._status.step("API server"):
            api = ApiServer(self.config, store, self._registry, self._access)
            api.health.ready["containerd"] = lambda: self._supervisor.trouble
            self._stack.push_async_callback(self._access.close)
            self._stack.push_async_callback(api.stop)
            await api.start()
        with self._status.step("definitions"):
            await install(api.component("definition-installer"), ALL)
            await install_classes(api.component("storage-installer"))
        return api, store

    async def _start_machine(self) -> None:
        with self._status.step("containerd"):
            write_cni(self.config)
            self._stack.push_async_callback(self._containerd.close)
            self._stack.push_async_callback(self._cri.close)
            self._stack.push_async_callback(self._supervisor.detach)
            await self._supervisor.start()
            await asyncio.to_thread(ensure_pause_image, self.config.paths)

    async def _start_loops(self, api: ApiServer, store: SqliteStore) -> None:
        """What reaches state through a client only. Caches are complete before anybody acts on them."""
        config = self.config
        context = make_context(api, host_network(config))
        informers, recorder, ready = context.informers, context.recorder, api.health.ready
        helper = Helper()
        storage = make_storage(context)
        controllers = [
            *make_controllers(context), *make_certificate_controllers(context, helper), *storage.controllers
        ]  # fmt: skip
        controllers += make_csi(storage, _as_node(api), prepare_paths(config))
        proxy = ServiceProxy(config, informers)
        ingress = ClusterIngress(config, context.identity("ingress-controller"), informers, recorder)
        ingress.on_version(lambda version: self._status.note(versions={"caddy": version}))
        policies, bandwidth = PolicyKeeper(config, informers), BandwidthKeeper(config, informers, recorder)
        announcer = Announcer(config, informers, recorder)
        checks = HealthChecks(config, informers, recorder, lambda: proxy.trouble)
        names = ClusterDnsServer(config, context.identity("kube-dns"))
        volumes, agent = self._make_agent(api, store, informers, PodNetworks(policies, bandwidth), storage.drivers)
        self._access.storage, usage = make_volume_usage(context, volumes, storage.drivers)
        await asyncio.gather(proxy.prepare(), policies.prepare())
        ready["informers"] = lambda: ", ".join(informers.incomplete())
        await self._begin(informers)
        for tool in (recorder, helper, storage.drivers):
            self._stack.push_async_callback(tool.close)
        ready["services"], ready["ingress"] = lambda: proxy.trouble, lambda: ingress.trouble
        await self._begin(*controllers, proxy, announcer, checks, names, ingress, bandwidth, volumes, agent, usage)
        ready["network-policies"] = lambda: policies.trouble
        await self._begin(policies)  # the agent has told of the pods that run
        if config.beside:
            await self._begin(Companion(config.beside, config.paths.logs / "platform.log"))

    async def _begin(self, *parts: _Part) -> None:
        """Start them in this order; they end in the opposite one."""
        for part in parts:
            self._stack.push_async_callback(part.close)
            starting = part.start()
            if starting is not None:
                await starting

    def _make_agent(
        self, api: ApiServer, store: SqliteStore, informers: Informers, network: PodNetwork, drivers: Drivers
    ) -> tuple[PodVolumes, NodeAgent]:
        config = self.config
        kubelet = _as_node(api)
        recorder = Recorder(kubelet, config.clock, "kubelet", config.node_name)
        self._stack.push_async_callback(recorder.close)

        def make_mounts() -> PodMounts:
            from skerry.engine.storage.mounting.pods import PodMounts

            return PodMounts(config, kubelet, informers, recorder, drivers)

        volumes = PodVolumes(config.paths.data / "storage", make_mounts)
        runtime = Runtime(
            self._cri,
            self._containerd,
            store_trouble=lambda: store.trouble,
            network=network,
            storage=volumes,
        )
        agent = NodeAgent(config, kubelet, informers, recorder, runtime, config.cluster_dns)
        store.on_trouble = agent.check_now
        return volumes, agent
