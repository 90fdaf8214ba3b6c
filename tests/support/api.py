"""A running API server for tests: memory store, free port, everything in a temporary directory, gone afterwards.

async with running_api() as api:
    await api.client.create(PODS, {...}, "default")     # in-process
    subprocess.run(["kubectl", "--kubeconfig", api.kubeconfig, ...])
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.api.local import LocalClient
from skerry.engine.api.pod_access import PodAccess
from skerry.engine.api.server import ApiServer
from skerry.engine.config import EngineConfig, Paths
from skerry.engine.schema.registry import builtin
from skerry.engine.store.contract import Store
from skerry.engine.store.memory import MemoryStore
from skerry.kube.clock import Clock, SystemClock
from skerry.kube.errors import AlreadyExists
from skerry.kube.resources import SERVICE_ACCOUNTS


@dataclass(frozen=True, slots=True)
class RunningApi:
    """`client` acts as system:masters in-process; `url` and `kubeconfig` lead there over TLS."""

    server: ApiServer
    store: Store
    client: LocalClient
    url: str
    kubeconfig: Path


def engine_config(folder: Path, clock: Clock | None = None) -> EngineConfig:
    """An instance in a temporary folder, on a free port of the loopback address."""
    return EngineConfig(
        instance="7e57",
        paths=Paths(folder / "data", folder / "run"),
        node_name="node",
        bind="127.0.0.1",
        port=0,
        pod_cidr="10.96.0.0/16",
        service_cidr="10.112.0.0/16",
        clock=clock or SystemClock(),
    )


@asynccontextmanager
async def running_api(
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    pod_access: PodAccess | None = None,
    folder: Path | None = None,
    authentication_config: Path | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> AsyncIterator[RunningApi]:
    """Start one, stop it at the end. `folder`: where its files go, to be kept; a temporary one otherwise. `settings`:
    fields of its configuration."""
    with tempfile.TemporaryDirectory(prefix="skerry-api-") as temporary:
        config = engine_config(folder or Path(temporary), clock)
        config = replace(config, authentication_config=authentication_config, **settings)
        store = store or MemoryStore()
        server = ApiServer(config, store, builtin(), pod_access)
        await server.start()
        try:
            client = server.client("test", MASTERS)
            await _equip(client)
            yield RunningApi(server, store, client, server.url, config.paths.kubeconfig)
        finally:
            await server.stop()
            await store.close()


async def _equip(client: LocalClient) -> None:
    """What a controller makes, where none runs: without this account there are no pods. Its token is not mounted, since
    nobody publishes the certificate that goes with it."""
    account = {"metadata": {"name": "default"}, "automountServiceAccountToken": False}
    with suppress(AlreadyExists):
        await client.create(SERVICE_ACCOUNTS, account, "default")
