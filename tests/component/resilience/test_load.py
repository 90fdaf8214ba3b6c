"""Many objects, many watchers, clients that do not read: what they cost, and that the others do not notice.

Bounds are on memory and on what is answered, generous where machines differ; times are left to the benchmarks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.kube.http_client import HttpClient
from skerry.kube.resources import CONFIG_MAPS
from tests.component.resilience.victim import Victim, victim
from tests.support.raw_api import RawApi, pem
from tests.support.waiting import until

PATH = "/api/v1/namespaces/default/configmaps"
MANY, CHUNK, WATCHERS = 10_000, 500, 1_000
MIB = 1 << 20
pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def served() -> Iterator[Victim]:
    with victim() as running:
        yield running


@pytest.fixture
async def client(served: Victim) -> AsyncIterator[HttpClient]:
    async with HttpClient.from_kubeconfig(served.kubeconfig) as client:
        yield client


@pytest.fixture
def raw(served: Victim) -> Iterator[RawApi]:
    with contextlib.closing(RawApi(served.kubeconfig)) as raw:
        yield raw


async def make(client: HttpClient, count: int, text: str = "") -> None:
    for start in range(0, count, 100):
        await asyncio.gather(
            *(
                client.create(CONFIG_MAPS, {"metadata": {"name": f"c-{n:05}"}, "data": {"text": text}}, "default")
                for n in range(start, min(start + 100, count))
            )
        )


async def test_ten_thousand_objects_of_one_kind(raw: RawApi, client: HttpClient) -> None:
    await make(client, MANY)
    names, token, remaining = [], "", len(raw.call("GET", PATH)[1]["items"])
    while True:
        page = raw.call("GET", f"{PATH}?limit={CHUNK}&continue={token}")[1]
        names += [item["metadata"]["name"] for item in page["items"]]
        revision, token = page["metadata"]["resourceVersion"], page["metadata"].get("continue", "")
        remaining -= len(page["items"])
        if not token:
            break
        assert page["metadata"]["remainingItemCount"] == remaining
        raw.call("DELETE", f"{PATH}/c-00000")  # what is deleted meanwhile is still in this list
        raw.call("DELETE", f"{PATH}/c-{MANY - 1:05}")
    assert sorted(n for n in names if n.startswith("c-")) == [f"c-{number:05}" for number in range(MANY)]
    gone = 0
    async with client.watch(CONFIG_MAPS, "default", resource_version=revision) as events:
        code, answer = await asyncio.to_thread(raw.call, "DELETE", PATH)
        assert (code, len(answer["items"]) >= MANY - 2) == (200, True)
        async for event in events:
            gone += event.type == "DELETED"
            if gone >= MANY:
                break
    assert not any(item["metadata"]["name"].startswith("c-") for item in raw.call("GET", PATH)[1]["items"])


async def test_a_thousand_idle_watchers(served: Victim, client: HttpClient) -> None:
    revision = (await client.list(CONFIG_MAPS, "default")).resource_version
    before, descriptors = served.resident, served.descriptors
    query = f"?watch=1&resourceVersion={revision}&timeoutSeconds=600"
    connections = []
    for _ in range(WATCHERS // 50):
        connections += await asyncio.gather(*(asking(served, query) for _ in range(50)))
    try:
        for reader, _ in connections:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        each = (served.resident - before) / WATCHERS
        print(f"{each / 1024:.0f} KiB for each of {WATCHERS} idle watchers (TLS included)")
        assert each < 150 * 1024
        await make(client, 1)
        for reader, _ in connections:
            await reader.readline()
            assert json.loads(await reader.readline())["type"] == "ADDED"
    finally:
        for _, writer in connections:
            await drop(writer)
    await until(lambda: served.descriptors <= descriptors + 5)


async def test_who_reads_nothing_costs_bounded_memory(served: Victim, client: HttpClient) -> None:
    await make(client, 40, "x" * 500_000)
    async with contextlib.AsyncExitStack() as stack:
        for query in ("", "?watch=1&timeoutSeconds=600"):
            for _ in range(2):
                _, writer = await asking(served, query, times=10)
                writer.transport.pause_reading()
                stack.push_async_callback(drop, writer)
        await change(client, 500)  # history and the watchers' lag are as large as they may become
        for _ in range(3):  # whoever kept them would grow by 200 MiB each time; a busy process may once by a part of it
            before = served.resident
            await change(client, 400)
            grown = served.resident - before
            print(f"{grown / MIB:.0f} MiB more after 200 MiB of further events nobody has read")
            if grown < 100 * MIB:
                break
        assert grown < 100 * MIB
        assert (await client.get(CONFIG_MAPS, "c-00000", "default"))["data"]["n"] == "399"


async def change(client: HttpClient, times: int) -> None:
    """Events of half a megabyte."""
    for number in range(times):
        data: dict[str, Any] = {"data": {"text": "y" * 500_000, "n": str(number)}}
        await client.patch(CONFIG_MAPS, "c-00000", data, "default")


async def asking(served: Victim, query: str, times: int = 1) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which the collection has been asked for."""
    config = yaml.safe_load(served.kubeconfig.read_text())
    server, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = _context(
        served.kubeconfig,
        pem(server, "certificate-authority"),
        pem(user, "client-certificate"),
        pem(user, "client-key"),
    )
    port = int(server["server"].rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(f"GET {PATH}{query} HTTP/1.1\r\nhost: x\r\n\r\n".encode() * times)
    return reader, writer


async def drop(writer: asyncio.StreamWriter) -> None:
    """End a connection without goodbye."""
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


_contexts: dict[Path, ssl.SSLContext] = {}


def _context(kubeconfig: Path, authority: str, certificate: str, key: str) -> ssl.SSLContext:
    """One for all connections: making it costs more than using it."""
    if kubeconfig not in _contexts:
        context = ssl.create_default_context(cadata=authority)
        both = kubeconfig.parent / "test-client.pem"
        both.write_text(certificate + key)
        context.load_cert_chain(both)
        _contexts[kubeconfig] = context
    return _contexts[kubeconfig]
