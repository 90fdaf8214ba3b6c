"""GET, POST and LIST of ConfigMaps over TLS, each with its floor.

The floors: uvicorn alone serving the very bytes Skerry answered; SQLite alone committing as many rows at a time as
there are connections.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from benchmarks import certificates, fixed_server, load, sqlite_floor
from benchmarks.endpoint import Endpoint
from benchmarks.namespaces import temporary_namespace
from benchmarks.results import Row
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS

SECONDS = 4.0
NAMESPACE = "skerry-bench"
COLLECTION = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
OBJECTS = 1000


async def get(api: Endpoint, client: HttpClient, data_dir: Path) -> Row:
    """One 2 KB object, 16 connections."""
    async with temporary_namespace(client, NAMESPACE):
        await client.create(CONFIG_MAPS, _configmap("one", 2000))
        body = await client.get_raw(f"{COLLECTION}/one")
        measured = await load.run(api.spec("GET", f"{COLLECTION}/one", 16, SECONDS))
    return Row("GET 2 KB, 16 connections", measured.per_second, "/s", await _floor(body, 16), 9000)


async def post(api: Endpoint, client: HttpClient, data_dir: Path) -> Row:
    """New 1 KB objects, durable, 16 connections."""
    async with temporary_namespace(client, NAMESPACE):
        body = (
            json.dumps(_configmap(f"made-{load.NUMBER}", 1000), separators=(",", ":")) + "\n"
        )  # as client-go sends it
        measured = await load.run(api.spec("POST", COLLECTION, 16, SECONDS, body))
    floor = await asyncio.to_thread(sqlite_floor.group_commits_per_second, 16, 1000, data_dir)
    return Row("POST 1 KB, 16 connections", measured.per_second, "/s", floor, 4000)


async def list_thousand(api: Endpoint, client: HttpClient, data_dir: Path) -> Row:
    """1,000 objects of 1 KB in one answer, 4 connections."""
    async with temporary_namespace(client, NAMESPACE):
        for start in range(0, OBJECTS, 50):
            names = (f"listed-{number:04}" for number in range(start, start + 50))
            await asyncio.gather(*(client.create(CONFIG_MAPS, _configmap(name, 1000)) for name in names))
        body = await client.get_raw(COLLECTION)
        listed = body.count(b'"listed-')
        if listed != OBJECTS:
            raise RuntimeError(f"the list has {listed} of the objects, not {OBJECTS}")
        measured = await load.run(api.spec("GET", COLLECTION, 4, SECONDS))
    return Row("LIST 1,000 x 1 KB, 4 connections", measured.per_second, "/s", await _floor(body, 4), 170)


async def _floor(body: bytes, connections: int) -> float:
    """Answers per second of uvicorn alone, serving `body`."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name:
        folder = Path(name)
        authority, identity = certificates.make(folder)
        (folder / fixed_server.BODY).write_bytes(body)
        with fixed_server.serving(folder) as port:
            endpoint = Endpoint("127.0.0.1", port, authority, identity)
            return (await load.run(endpoint.spec("GET", "/", connections, SECONDS))).per_second


def _configmap(name: str, size: int) -> Obj:
    """A ConfigMap of about `size` bytes as it is stored."""
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"app": "bench"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": "x" * (size - 330)}}
