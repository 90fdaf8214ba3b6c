"""GET, POST, LIST and watches over TLS, each with its floor.

The floors: uvicorn alone serving the very bytes Skerry answered; SQLite alone committing as many rows at a time as
there are connections; a server that only passes on what is written to it.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import certificates, fan_out_floor, fan_out_load, fixed_server, load, sqlite_floor
from benchmarks.endpoint import Endpoint
from benchmarks.namespaces import temporary_namespace
from benchmarks.objects import MANY, made, waiting_pod
from benchmarks.results import Row
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, PODS

SECONDS = 4.0
WATCHERS, EVENTS = 100, 500
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
        await made(client, CONFIG_MAPS, (_configmap(f"listed-{number:04}", 1000) for number in range(OBJECTS)))
        body = await client.get_raw(COLLECTION)
        listed = body.count(b'"listed-')
        if listed != OBJECTS:
            raise RuntimeError(f"the list has {listed} of the objects, not {OBJECTS}")
        measured = await load.run(api.spec("GET", COLLECTION, 4, SECONDS))
    return Row("LIST 1,000 x 1 KB, 4 connections", measured.per_second, "/s", await _floor(body, 4), 170)


async def list_pods(api: Endpoint, client: HttpClient, data_dir: Path) -> Row:
    """All of many pods in one answer, one connection: milliseconds until the last byte is there."""
    path = f"/api/v1/namespaces/{NAMESPACE}/pods"
    async with temporary_namespace(client, NAMESPACE):
        await made(client, PODS, (waiting_pod(f"waiting-{number:05}", NAMESPACE) for number in range(MANY)))
        body = await client.get_raw(path)
        listed = body.count(b'"name":"waiting-')
        if listed != MANY:
            raise RuntimeError(f"the list has {listed} of the pods, not {MANY}")
        measured = await load.run(api.spec("GET", path, 1, SECONDS))
    with _fixed(body) as floor:
        alone = await load.run(floor.spec("GET", "/", 1, SECONDS))
    return Row(f"LIST {MANY:,} pods", measured.p50, "ms", alone.p50, 150)


async def fan_out(api: Endpoint, client: HttpClient, data_dir: Path) -> Row:
    """Writes at a steady rate, each seen by many watchers: the 99th percentile of milliseconds from write to event."""
    body = json.dumps(_configmap(fan_out_load.SENT, 350))
    async with temporary_namespace(client, NAMESPACE):
        measured = await fan_out_load.run(_fan_out(api, body))
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name:
        authority, identity = certificates.make(Path(name))
        with fan_out_floor.serving(Path(name)) as port:
            floor = await fan_out_load.run(_fan_out(Endpoint("127.0.0.1", port, authority, identity), body))
    return Row(f"write to {WATCHERS} watchers, {EVENTS}/s, p99", measured.p99, "ms", floor.p99, 10)


def _fan_out(api: Endpoint, body: str) -> fan_out_load.Spec:
    return fan_out_load.Spec(
        api.host, api.port, api.authority, api.identity, COLLECTION, body, WATCHERS, EVENTS, SECONDS
    )


async def _floor(body: bytes, connections: int) -> float:
    """Answers per second of uvicorn alone, serving `body`."""
    with _fixed(body) as endpoint:
        return (await load.run(endpoint.spec("GET", "/", connections, SECONDS))).per_second


@contextmanager
def _fixed(body: bytes) -> Iterator[Endpoint]:
    """uvicorn alone, serving `body`."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-") as name:
        folder = Path(name)
        authority, identity = certificates.make(folder)
        (folder / fixed_server.BODY).write_bytes(body)
        with fixed_server.serving(folder) as port:
            yield Endpoint("127.0.0.1", port, authority, identity)


def _configmap(name: str, size: int) -> Obj:
    """A ConfigMap of about `size` bytes as it is stored."""
    metadata = {"name": name, "namespace": NAMESPACE, "labels": {"app": "bench"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": "x" * (size - 330)}}
