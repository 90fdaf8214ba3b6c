"""What runs behind a test cluster: the engine's API on a store in memory, its controllers, simulated nodes. Async.

The same parts as in `skerry up` without network, containerd and node agent. Neighbours: `cluster` runs this in a
thread of its own; `nodes` stands where the node agent would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from skerry.engine.api.server import ApiServer
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.controllers.all import make_controllers
from skerry.engine.program.context import make_context
from skerry.engine.schema.registry import builtin
from skerry.engine.store.memory import MemoryStore
from skerry.kube.clock import Clock, SystemClock
from skerry.kube.events import Recorder
from skerry.kube.objects import Obj, key_of
from skerry.kube.resources import NODES, SERVICE_ACCOUNTS, STORAGE_CLASSES
from skerry.testing.nodes import SimulatedNodes, SimulatedPods
from skerry.testing.volumes import STANDARD, SimulatedVolumes

_ACCOUNT = "default/default"
"""Whose a pod is that does not say: without it there are no pods, and admission waits for it only a moment."""


class RunningCluster:
    """One cluster, running inside its `async with`. `folder` holds certificates and kubeconfig while it does."""

    def __init__(self, folder: Path, nodes: Sequence[Obj], clock: Clock) -> None:
        self.config = EngineConfig(
            instance="7e57",
            paths=Paths(folder, folder / "run"),
            node_name="none",
            bind="127.0.0.1",
            port=0,
            pod_cidr="10.96.0.0/16",
            service_cidr="10.112.0.0/16",
            clock=clock,
        )
        self.url = ""
        self._nodes = nodes
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._stack as stack:
            store = MemoryStore()
            stack.push_async_callback(store.close)
            api = ApiServer(self.config, store, builtin())
            stack.push_async_callback(api.stop)
            # Whatever time it is in the cluster, those who ask it live on this machine.
            await api.start(clients=SystemClock())
            self.url = api.url
            await self._start_loops(api, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start_loops(self, api: ApiServer, stack: AsyncExitStack) -> None:
        context = make_context(api)
        informers, clock = context.informers, context.clock
        kubelet = api.client("skerry-testing", "system:masters")  # every node's at once
        stack.push_async_callback(informers.close)
        telling = Recorder(kubelet, clock, "kubelet")
        stack.push_async_callback(telling.close)
        stack.push_async_callback(context.recorder.close)
        controllers = [
            *make_controllers(context),
            SimulatedNodes(kubelet, informers, clock),
            SimulatedPods(kubelet, informers, telling, clock, self.config.pod_cidr),
            SimulatedVolumes(kubelet, informers),
        ]
        accounts, may_have_pods = informers.of(SERVICE_ACCOUNTS), asyncio.Event()
        accounts.add_handler(lambda delta: may_have_pods.set() if key_of(delta.object) == _ACCOUNT else None)
        await informers.start()
        for controller in controllers:
            stack.push_async_callback(controller.close)
            controller.start()
        await kubelet.create(STORAGE_CLASSES, STANDARD)
        await asyncio.gather(*(kubelet.create(NODES, node) for node in self._nodes))
        await may_have_pods.wait()
