"""The real controllers on a real in-process API, with a simulated node: what component tests of controllers start.

async with running_controllers() as world:
    await world.client.create(DEPLOYMENTS, ...)
    await world.until(lambda: ...)
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from skerry.engine.api.pod_access import PodAccess
from skerry.engine.controllers.all import make_controllers
from skerry.engine.controllers.context import NO_HOST, Context, HostNetwork
from skerry.engine.program.context import make_context
from skerry.kube.client import Client
from skerry.kube.clock import Clock, SystemClock
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, Resource, key_of
from skerry.kube.resources import DEPLOYMENTS, ENDPOINT_SLICES, EVENTS, NODES, PODS, REPLICA_SETS
from skerry.kube.workqueue import WorkQueue
from tests.support.api import RunningApi, running_api
from tests.support.kubectl import Kubectl
from tests.support.simulated_node import SimulatedNode
from tests.support.waiting import LIMIT, until

_MOMENTS = 0.2  # seconds


@dataclass
class World:
    """What a test works with. `informers` are the controllers' own: fresh, and shared objects."""

    api: RunningApi
    context: Context
    node: SimulatedNode
    controllers: Sequence[Controller]

    @property
    def client(self) -> Client:
        """The administrator's client."""
        return self.api.client

    def get(self, resource: Resource, name: str, namespace: str = "default") -> Obj | None:
        """As the controllers see it."""
        return self.context.informers.of(resource).get(name, namespace if resource.namespaced else "")

    def list(self, resource: Resource, namespace: str | None = "default") -> Sequence[Obj]:
        """As the controllers see it."""
        return self.context.informers.of(resource).list(namespace)

    def events(self, reason: str) -> list[str]:
        """Messages of the events of one reason, in all namespaces."""
        found = self.context.informers.of(EVENTS).list()
        return [event["message"] for event in found if event["reason"] == reason]

    def has_a_node(self) -> bool:
        """Whether pods may go to the node."""
        return self.may_have_pods(self.node.node)

    def may_have_pods(self, name: str) -> bool:
        """Whether pods may go to a node: a new one is tainted until it is seen to be ready."""
        node = self.get(NODES, name)
        return node is not None and bool(node.get("status")) and not node["spec"].get("taints")

    async def until(self, condition: Callable[[], object], seconds: float = LIMIT) -> None:
        """Wait for a condition on the caches."""
        await until(condition, seconds=seconds)

    async def kubectl(self, *words: str) -> str:
        """Run the real kubectl; all that it says. Fails the test when it fails."""
        done = await Kubectl(self.api.kubeconfig, self.api.kubeconfig.parent)(*words)
        return done.out + done.err

    async def settle(self) -> None:
        """Wait until nobody has anything left to do: whoever was to do what they should not has done it by then."""
        await until(self._is_calm, "calm")

    async def _is_calm(self) -> bool:
        """Everything recorded is written, caches show all that is stored, queues are empty; all of that at once."""
        await self.context.recorder.close()
        revision = self.api.store.revision
        for informer in list(self.context.informers._tasks):
            if not await self._is_current(informer):
                return False
        return all(_is_idle(one.queue) for one in self.controllers) and self.api.store.revision == revision

    async def _is_current(self, informer: Informer) -> bool:
        try:
            items = (await self.client.list(informer.resource)).items
        except NotFound:
            items = []  # what is not served has no objects
        stored = {key_of(one): _version(one) for one in items}
        return stored == {key_of(one): _version(one) for one in informer.list()}


def _version(obj: Obj) -> str:
    return str(obj["metadata"]["resourceVersion"])


def _is_idle(queue: WorkQueue) -> bool:
    """Nothing waits or is worked on. What is appointed for later is a matter of time, but not the retry of a conflict,
    which comes within moments."""
    soon = asyncio.get_running_loop().time() + _MOMENTS
    return not (queue._waiting or queue._active or any(when < soon for when, _ in queue._timers.values()))


@asynccontextmanager
async def running_controllers(
    *,
    clock: Clock | None = None,
    register: bool = True,
    folder: Path | None = None,
    pod_access: PodAccess | None = None,
    host: HostNetwork = NO_HOST,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> AsyncIterator[World]:
    """Start API, controllers and node; stop them at the end. `register`: whether the node is there from the start.
    `pod_access`: what measures pods; `host`: what has ports and addresses of the machine;
    `settings`: fields of the instance's configuration."""
    clock = clock or SystemClock()
    async with running_api(clock=clock, folder=folder, pod_access=pod_access, settings=settings) as api:
        client = api.client
        identity = functools.cache(api.server.component)  # so that tests can reach the client a controller has
        context = replace(make_context(api.server, host), identity=identity)
        informers = context.informers
        node = SimulatedNode(client, informers, clock)
        controllers = [*make_controllers(context), node]
        for resource in (EVENTS, PODS, REPLICA_SETS, DEPLOYMENTS, ENDPOINT_SLICES):
            informers.of(resource)
        await informers.start()
        for controller in controllers:
            controller.start()
        world = World(api, context, node, controllers)
        try:
            if register:
                await node.register()
                await world.until(world.has_a_node)
            yield world
        finally:
            for controller in reversed(controllers):
                await controller.close()
            await context.recorder.close()
            await informers.close()
