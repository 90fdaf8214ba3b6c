"""Watches over WebSockets, as Java clients (fabric8: Spark, Jenkins, Quarkus) ask for them."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from skerry.kube.kubeconfig import load_kubeconfig
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS, ROLE_BINDINGS, SERVICE_ACCOUNTS
from tests.support.api import RunningApi
from tests.support.waiting import LIMIT, until

MAPS = "/api/v1/namespaces/default/configmaps"


@asynccontextmanager
async def watching(
    server: RunningApi, query: str = "", *offered: str, accept: str = "*/*", anonymous: bool = False
) -> AsyncIterator[ClientConnection]:
    url = f"{server.url.replace('https', 'wss')}{MAPS}?watch=true&labelSelector=mine&{query}"
    offers = [Subprotocol(one) for one in offered] or None
    headers = {"Accept": accept, "Origin": server.url}
    tls = _anonymous() if anonymous else load_kubeconfig(server.kubeconfig).ssl_context()
    async with connect(url, ssl=tls, subprotocols=offers, additional_headers=headers, compression=None) as socket:
        yield socket


def _anonymous() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def event(socket: ClientConnection) -> tuple[str, Obj]:
    async with asyncio.timeout(LIMIT):
        message = await socket.recv()
    assert isinstance(message, str)
    found: Obj = json.loads(message)
    return found["type"], found["object"]


def config_map(name: str, **more: Any) -> Obj:
    return {"metadata": {"name": name, "labels": {"mine": "yes"}}, **more}


async def test_each_event_is_a_message(server: RunningApi) -> None:
    made = await server.client.create(CONFIG_MAPS, config_map("there"), "default")
    async with watching(server) as socket:
        assert await event(socket) == ("ADDED", made)
        changed = await server.client.patch(CONFIG_MAPS, "there", {"data": {"text": "grüße\n\r"}}, "default")
        assert await event(socket) == ("MODIFIED", changed)
        names = [f"new-{number}" for number in range(20)]
        await asyncio.gather(*(server.client.create(CONFIG_MAPS, config_map(name), "default") for name in names))
        assert {(await event(socket))[1]["metadata"]["name"] for _ in names} == set(names)
        await socket.send("what clients say is ignored")
        await server.client.delete(CONFIG_MAPS, "there", "default")
        assert (await event(socket))[0] == "DELETED"


async def test_it_ends_with_its_time(server: RunningApi) -> None:
    async with watching(server, "timeoutSeconds=1&allowWatchBookmarks=true") as socket:
        assert (await event(socket))[0] == "BOOKMARK"
        with pytest.raises(ConnectionClosed):
            await event(socket)
    assert socket.close_code == 1000


async def test_it_ends_with_its_client_and_with_the_server(server: RunningApi) -> None:
    watches = server.server._edge.watches
    async with watching(server):
        await until(lambda: len(watches) == 1)
    await until(lambda: len(watches) == 0)
    async with watching(server) as socket:
        await until(lambda: len(watches) == 1)
        await server.server.stop()
        with pytest.raises(ConnectionClosed):
            await event(socket)


async def test_what_cannot_be_given_is_said(server: RunningApi) -> None:
    async with watching(server, "resourceVersion=999999999") as socket:
        kind, status = await event(socket)
        assert (kind, status["kind"]) == ("ERROR", "Status")
        with pytest.raises(ConnectionClosed):
            await event(socket)
    for query, accept, anonymous, code in (
        ("fieldSelector=spec.no%3Dx", "*/*", False, 400),
        ("", "application/vnd.kubernetes.protobuf", False, 406),
        ("", "*/*", True, 403),
    ):
        with pytest.raises(InvalidStatus) as caught:
            async with watching(server, query, accept=accept, anonymous=anonymous):
                pass
        assert caught.value.response.status_code == code
        assert json.loads(caught.value.response.body or b"")["kind"] == "Status"


async def test_a_browser_brings_its_token_as_a_sub_protocol(server: RunningApi) -> None:
    account = {"metadata": {"name": "default", "namespace": "default"}, "spec": {}}
    token = (await server.client.create(SERVICE_ACCOUNTS, account, "default", "token"))["status"]["token"]
    encoded = base64.urlsafe_b64encode(token.encode()).rstrip(b"=").decode()
    offered = (f"base64url.bearer.authorization.k8s.io.{encoded}", "any")
    with pytest.raises(InvalidStatus) as caught:
        async with watching(server, "", *offered, anonymous=True):
            pass
    assert b"system:serviceaccount:default:default" in (caught.value.response.body or b"")

    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    binding = {"metadata": {"name": "view"}, "roleRef": role, "subjects": [subject]}
    await server.client.create(ROLE_BINDINGS, binding, "default")
    async with watching(server, "", *offered, anonymous=True) as socket:
        assert socket.subprotocol == "any"


async def test_tables_as_messages(server: RunningApi) -> None:
    await server.client.create(CONFIG_MAPS, config_map("there"), "default")
    async with watching(server, accept="application/json;as=Table;g=meta.k8s.io;v=v1") as socket:
        assert (await event(socket))[1]["kind"] == "Table"
