"""The platform as tests boot it: on a test cluster, over HTTP, as on any other Kubernetes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from skerry.kube.clock import Clock, SystemClock
from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import load_kubeconfig
from skerry.platform.base.capability import MANAGER, Capability, Settings
from skerry.platform.program.all import ALL
from skerry.platform.program.platform import Pages, Platform, no_pages
from skerry.testing import Cluster, cluster


@dataclass
class RunningPlatform:
    """`admin` may do everything; `as_user` acts as somebody."""

    cluster: Cluster
    platform: Platform
    admin: HttpClient

    def as_user(self, name: str, *groups: str) -> HttpClient:
        return self.admin.acting_as(name, [*groups, "system:authenticated"])


@asynccontextmanager
async def running_platform(
    *,
    nodes: int = 1,
    clock: Clock | None = None,
    capabilities: Sequence[Capability] = ALL,
    settings: Settings | None = None,
) -> AsyncIterator[RunningPlatform]:
    """A cluster and a platform of its own on it."""
    with cluster(nodes=nodes, clock=clock) as made:
        async with running_on(made, clock=clock, capabilities=capabilities, settings=settings) as running:
            yield running


@asynccontextmanager
async def running_on(
    made: Cluster,
    *,
    clock: Clock | None = None,
    capabilities: Sequence[Capability] = ALL,
    settings: Settings | None = None,
    pages: Pages = no_pages,
) -> AsyncIterator[RunningPlatform]:
    """A platform on a cluster that is there."""
    connection = load_kubeconfig(made.kubeconfig)
    async with (
        HttpClient(connection) as admin,
        HttpClient(connection, field_manager=MANAGER) as own,
        Platform(
            own, settings or Settings(), clock=clock or SystemClock(), capabilities=capabilities, pages=pages
        ) as platform,
    ):
        yield RunningPlatform(made, platform, admin)
