"""The real controllers on a real in-process API, with a simulated node: what component tests of controllers start.

async with running_controllers() as world:
    await world.client.create(DEPLOYMENTS, ...)
    await world.until(lambda: ...)
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from skerry.engine.api.pod_access import PodAccess
from skerry.engine.controllers.all import make_controllers
from skerry.engine.controllers.context import Context
from skerry.engine.program.context import make_context
from skerry.kube.client import Client
from skerry.kube.clock import Clock, SystemClock
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import DEPLOYMENTS, ENDPOINT_SLICES, EVENTS, PODS, REPLICA_SETS
from tests.support.api import RunningApi, running_api
from tests.support.simulated_node import SimulatedNode

CA = "-----BEGIN CERTIFICATE-----\nnot really\n-----END CERTIFICATE-----\n"


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

    async def until(self, condition: Callable[[], object], seconds: float = 10) -> None:
        """Wait for a condition on the caches. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.002)

    async def settle(self, seconds: float = 0.1) -> None:
        """Give everybody time to do what they should not."""
        await asyncio.sleep(seconds)


@asynccontextmanager
async def running_controllers(
    *,
    clock: Clock | None = None,
    register: bool = True,
    folder: Path | None = None,
    pod_access: PodAccess | None = None,
) -> AsyncIterator[World]:
    """Start API, controllers and node; stop them at the end. `register`: whether the node is there from the start.
    `pod_access`: what measures pods."""
    clock = clock or SystemClock()
    async with running_api(clock=clock, folder=folder, pod_access=pod_access) as api:
        client = api.client
        identity = functools.cache(api.server.component)  # so that tests can reach the client a controller has
        context = replace(make_context(api.server), ca_pem=CA, identity=identity)
        informers = context.informers
        node = SimulatedNode(client, informers, clock)
        controllers = [*make_controllers(context), node]
        for resource in (EVENTS, PODS, REPLICA_SETS, DEPLOYMENTS, ENDPOINT_SLICES):
            informers.of(resource)
        await informers.start()
        for controller in controllers:
            controller.start()
        if register:
            await node.register()
        try:
            yield World(api, context, node, controllers)
        finally:
            for controller in reversed(controllers):
                await controller.close()
            await context.recorder.close()
            await informers.close()
