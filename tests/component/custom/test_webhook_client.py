"""The client for webhooks: services, certificates, time, bounds."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from skerry.engine.api.webhooks.client import WebhookClient, WebhookFailure, cluster_addresses
from skerry.engine.store.memory import MemoryStore
from skerry.kube.objects import Obj
from tests.support.waiting import LIMIT
from tests.support.webhook_server import webhook_server


def echo(review: dict[str, Any]) -> dict[str, Any]:
    return {"seen": review}


def service(url: str, bundle: str, name: str = "hook") -> Obj:
    where = {"namespace": "default", "name": name, "port": urlsplit(url).port, "path": "/convert"}
    return {"service": where, "caBundle": bundle}


async def test_a_service_is_reached_at_its_address_and_known_by_its_name() -> None:
    client = WebhookClient(lambda namespace, name: "127.0.0.1")
    async with webhook_server(echo) as server:
        assert await client.call(service(server.url, server.bundle), {"a": 1}, LIMIT) == {"seen": {"a": 1}}
        with pytest.raises(WebhookFailure, match=r"https://other\.default\.svc.*certificate"):
            await client.call(service(server.url, server.bundle, "other"), {}, LIMIT)
        await client.close()


async def test_what_is_not_there_or_not_trusted_is_told() -> None:
    store = MemoryStore()
    client = WebhookClient(cluster_addresses(store))
    async with webhook_server(echo) as server:
        with pytest.raises(WebhookFailure, match='service "hook" not found'):
            await client.call(service(server.url, server.bundle), {}, LIMIT)
        with pytest.raises(WebhookFailure, match="certificate verify failed"):
            await client.call({"url": server.url}, {}, LIMIT)
        with pytest.raises(WebhookFailure, match="unable to load root certificates"):
            await client.call({"url": server.url, "caBundle": "bm90aGluZw=="}, {}, LIMIT)
    with pytest.raises(WebhookFailure, match="Cannot connect"):
        await client.call({"url": server.url, "caBundle": server.bundle}, {}, LIMIT)
    await client.close()
    await store.close()


async def test_a_silent_webhook_costs_its_time_and_no_more() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = WebhookClient(lambda namespace, name: "127.0.0.1")
    with pytest.raises(WebhookFailure, match="context deadline exceeded"):
        await client.call({"url": f"https://127.0.0.1:{port}/"}, {}, 0.1)
    await client.close()
    await asyncio.wait_for(left.wait(), LIMIT)
    listening.close()
    await listening.wait_closed()
