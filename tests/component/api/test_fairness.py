"""A client that lists all the time does not hold up another one: counted in lists, not in seconds."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from skerry.engine.api import fairness
from skerry.engine.api.http.connection import Connection
from skerry.engine.api.http.edge import Edge
from skerry.engine.api.http.encoding import Encoder
from skerry.engine.api.http.exchange import Exchange
from skerry.engine.api.response import Listing
from skerry.kube.errors import TooManyRequests
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Resource
from skerry.kube.resources import CONFIG_MAPS
from tests.support.api import RunningApi, running_api
from tests.support.users import client_of

CONNECTIONS, OBJECTS, GETS = 40, 100, 60
SEATS = 4
"""Of one user, for lists."""
BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False)


class Overtaking:
    """How many lists were encoded between the arrival of each get and its answer, as the server sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lists = 0
        self.counts: list[int] = []
        self._arrived: dict[int, int] = {}
        begin, serve, listing = Connection._begin, Edge.serve, Encoder.listing

        def noting_begin(connection: Connection, exchange: Exchange) -> None:
            self._arrived[id(exchange)] = self.lists
            begin(connection, exchange)

        async def noting_serve(edge: Edge, exchange: Exchange) -> None:
            await serve(edge, exchange)
            arrived = self._arrived.pop(id(exchange))
            if exchange.head.path.endswith(b"/c-0"):
                self.counts.append(self.lists - arrived)

        def noting_listing(encoder: Encoder, answer: Listing) -> bytes:
            self.lists += 1
            return listing(encoder, answer)

        monkeypatch.setattr(Encoder, "listing", noting_listing)
        monkeypatch.setattr(Connection, "_begin", noting_begin)
        monkeypatch.setattr(Edge, "serve", noting_serve)


async def test_few_lists_of_one_user_come_before_anothers_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Overtaking(monkeypatch)
    await under_fire(tmp_path, seen)
    assert seen.lists > GETS / 4, "there was something to hold it up"
    assert max(seen.counts) <= 2 * SEATS, seen.counts

    monkeypatch.undo()
    unfair = Overtaking(monkeypatch)
    monkeypatch.setattr(fairness, "exempt", lambda user: True)
    await under_fire(tmp_path, unfair)
    assert max(unfair.counts) > 2 * SEATS, "this is what it is about"


async def under_fire(folder: Path, seen: Overtaking) -> None:
    async with running_api() as api, contextlib.AsyncExitStack() as stack:
        await equip(api)
        greedy = [client_of(api, folder, "greedy") for _ in range(CONNECTIONS)]
        modest = client_of(api, folder, "modest")
        for client in (*greedy, modest):
            stack.push_async_callback(client.close)
        hammering = [asyncio.create_task(hammer(client)) for client in greedy]
        while seen.lists < 2 * CONNECTIONS:
            await asyncio.sleep(0)
        for _ in range(GETS):
            await modest.get(CONFIG_MAPS, "c-0", "default")
        for task in hammering:
            task.cancel()
        await asyncio.gather(*hammering, return_exceptions=True)


async def equip(api: RunningApi) -> None:
    for number in range(OBJECTS):
        await api.client.create(CONFIG_MAPS, {"metadata": {"name": f"c-{number}"}, "data": {"k": "x" * 500}}, "default")
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "ClusterRole", "name": "view"}
    subjects = [{"apiGroup": group, "kind": "User", "name": name} for name in ("greedy", "modest")]
    await api.client.create(BINDINGS, {"metadata": {"name": "both"}, "roleRef": role, "subjects": subjects})


async def hammer(client: HttpClient) -> None:
    while True:
        with contextlib.suppress(TooManyRequests):
            await client.list(CONFIG_MAPS, "default")
