"""A server, the controllers, and an extension API server behind a Service with hand-made endpoints."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pytest

from skerry.engine.store.contract import Key
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import API_SERVICES, CONFIG_MAPS, NAMESPACES, SERVICES
from tests.support.controllers import World, running_controllers
from tests.support.extension_server import GROUP, VERSION, Running, extension_server
from tests.support.kubectl import Kubectl

NAME = f"{VERSION}.{GROUP}"
FLUNDERS = Resource(GROUP, VERSION, "flunders", "Flunder")
_SLICE = Key("endpointslices.discovery.k8s.io", "wardle", "api-1")


@dataclass
class Wardle:
    """The world, and the extension server where one runs."""

    world: World
    folder: Path
    authentication: dict[str, str]

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[Running]:
        """An extension server, known as the endpoint of the Service."""
        async with extension_server(self.folder, self.authentication, port=port) as running:
            await self.set_endpoint(running.port)
            yield running

    async def set_endpoint(self, port: int, *addresses: str) -> None:
        """Straight into the store: the API allows no endpoint on the loopback address, where tests have theirs."""
        store = self.world.api.store
        slice_ = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": _SLICE.name,
                "namespace": _SLICE.namespace,
                "uid": "0e6f4b8e-5b5e-4b59-9c63-6c8a5a1f3a01",
                "creationTimestamp": "2026-01-01T00:00:00Z",
                "labels": {"kubernetes.io/service-name": "api"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [one]} for one in addresses or ["127.0.0.1"]],
            "ports": [{"name": "", "port": port, "protocol": "TCP"}],
        }

        def encode(revision: int) -> bytes:
            metadata = {**slice_["metadata"], "resourceVersion": str(revision)}
            return orjson.dumps({**slice_, "metadata": metadata})

        found = store.get(_SLICE)
        if found is None:
            await store.create(_SLICE, encode)
        else:
            await store.update(_SLICE, encode, found.revision)

    async def register(self, **spec: Any) -> None:
        """Make the APIService."""
        wanted = {
            "group": GROUP,
            "version": VERSION,
            "service": {"namespace": "wardle", "name": "api", "port": 7443},
            "groupPriorityMinimum": 2000,
            "versionPriority": 200,
            **spec,
        }
        await self.world.client.create(API_SERVICES, {"metadata": {"name": NAME}, "spec": wanted})

    def condition(self) -> Obj:
        """The APIService's condition, as it is in the store."""
        entry = self.world.api.store.get(Key(API_SERVICES.group_resource, "", NAME))
        conditions = (entry.shared().get("status") or {}).get("conditions") if entry is not None else None
        return next((dict(one) for one in conditions or () if one["type"] == "Available"), {})

    async def until_reason(self, reason: str) -> Obj:
        """Wait for the condition to say so, and for the server to act on it."""
        await self.world.until(lambda: self.condition().get("reason") == reason and self._is_acted_on(), 60)
        return self.condition()

    def _is_acted_on(self) -> bool:
        remote = self.world.api.server.api_services.named(NAME)
        local = self.condition()["reason"] == "Local"
        return local if remote is None else remote.available == (self.condition()["status"] == "True")


@pytest.fixture
async def wardle(tmp_path: Path) -> AsyncIterator[Wardle]:
    """Controllers, the namespace and the Service; no extension server yet."""
    async with running_controllers() as world:
        yield await wardle_of(world, tmp_path)


async def wardle_of(world: World, folder: Path) -> Wardle:
    """The namespace and the Service in a world."""
    config = await world.client.get(CONFIG_MAPS, "extension-apiserver-authentication", "kube-system")
    await world.client.create(NAMESPACES, {"metadata": {"name": "wardle"}})
    ports = [{"port": 7443, "targetPort": 8443}]
    await world.client.create(SERVICES, {"metadata": {"name": "api"}, "spec": {"ports": ports}}, "wardle")
    return Wardle(world, folder, config["data"])


Serving: TypeAlias = Callable[[], AbstractAsyncContextManager[Running]]


@pytest.fixture
async def flunders(wardle: Wardle) -> AsyncIterator[Running]:
    """An extension server that is available."""
    async with wardle.serving() as running:
        await wardle.register(caBundle=running.bundle)
        await wardle.until_reason("Passed")
        yield running


@pytest.fixture
def kubectl(wardle: Wardle, tmp_path: Path) -> Kubectl:
    return Kubectl(wardle.world.api.kubeconfig, tmp_path)
