"""Caddy's life: begun with the first Ingress, adopted by the next engine, replaced when it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from pathlib import Path

import pytest

from skerry.engine.network.ingress import program
from skerry.engine.network.ingress.cluster_ingress import ClusterIngress
from skerry.engine.network.ingress.user import user_of
from skerry.kube.resources import INGRESSES, SERVICES
from tests.component.ingress.world import Ingresses, path, rule, running_ingress
from tests.support.waiting import until

pytestmark = pytest.mark.root


async def _web(ingress: Ingresses) -> None:
    await ingress.app("web")
    await ingress.create("web", rule("web.example.com", path("/", "web")))
    await ingress.answers("web.example.com", "/", "web")


async def test_nothing_runs_before_there_is_an_ingress() -> None:
    async with running_ingress() as ingress:
        await ingress.app("web")
        await ingress.create("other", rule("web.example.com", path("/", "web")), ingressClassName="traefik")
        await ingress.world.until(lambda: ingress.world.get(INGRESSES, "other"))
        await ingress.ingress._controller._bring_about()
        assert program.cgroup_of(ingress.config).members() == set()
        assert not any(one["metadata"]["name"] == "ingress" for one in ingress.world.list(SERVICES, None))


async def test_caddy_has_no_rights_and_leaves_no_keys_in_files() -> None:
    async with running_ingress() as ingress:
        await _web(ingress)
        pid = ingress.ingress._controller.caddy.pid
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
        )
        assert status["Uid"].split() == [str(user_of(ingress.config))] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        socket = program.admin_socket(ingress.config)
        assert stat.S_IMODE(socket.stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        files = [file for file in socket.parent.rglob("*") if file.is_file()]
        assert not any(b"PRIVATE KEY" in file.read_bytes() for file in files)
        log = (ingress.config.paths.logs / "ingress.log").read_text()
        assert "PRIVATE KEY" not in log


async def test_one_that_dies_is_replaced() -> None:
    async with running_ingress() as ingress:
        await _web(ingress)
        caddy = ingress.ingress._controller.caddy
        before = caddy.pid
        os.kill(before, signal.SIGKILL)
        await until(lambda: caddy.pid not in (0, before), "another Caddy")
        await ingress.answers("web.example.com", "/", "web")
        await until(lambda: not ingress.ingress.trouble, "health")


async def test_requests_go_on_while_the_engine_is_away() -> None:
    async with running_ingress() as ingress:
        await _web(ingress)
        app = ingress.apps["default/web"]
        slow = asyncio.create_task(ingress.ask("web.example.com", "/slow"))
        await until(lambda: any(one["target"] == "/slow" for one in app.requests), "the request")
        before = ingress.ingress._controller.caddy.pid
        listeners = ingress.ingress._controller.caddy.listeners
        await ingress.ingress.close()
        assert (await ingress.ask("web.example.com")).status == 200
        client, world = ingress.world.context.identity("ingress-controller"), ingress.world
        ingress.ingress = ClusterIngress(ingress.config, client, world.context.informers, world.context.recorder)
        await ingress.ingress.start()
        caddy = ingress.ingress._controller.caddy
        await until(lambda: caddy.pid == before, "the same Caddy")
        assert caddy.listeners == listeners
        await ingress.create("new", rule("new.example.com", path("/", "web")))
        await ingress.answers("new.example.com", "/", "web")
        app.delay.set()
        assert (await slow).status == 200


async def test_changes_interrupt_neither_requests_nor_websockets() -> None:
    async with running_ingress() as ingress:
        await _web(ingress)
        app = ingress.apps["default/web"]
        listeners = ingress.ingress._controller.caddy.listeners
        reader, writer = await asyncio.open_connection(listeners.addresses[0], listeners.http)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: web.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        slow = asyncio.create_task(ingress.ask("web.example.com", "/slow"))
        await until(lambda: any(one["target"] == "/slow" for one in app.requests), "the request")
        for number in range(3):
            await ingress.create(f"more-{number}", rule(f"more-{number}.example.com", path("/", "web")))
            await ingress.answers(f"more-{number}.example.com", "/", "web")
        writer.write(b"still here")
        assert await reader.readexactly(10) == b"still here"
        writer.close()
        app.delay.set()
        assert (await slow).status == 200


async def test_the_service_comes_back() -> None:
    async with running_ingress() as ingress:
        await _web(ingress)
        client = ingress.world.client
        await ingress.world.until(lambda: ingress.world.get(SERVICES, "ingress", "kube-system"))
        before = await client.delete(SERVICES, "ingress", "kube-system")

        def is_new() -> bool:
            now = ingress.world.get(SERVICES, "ingress", "kube-system")
            return now is not None and now["metadata"]["uid"] != before["metadata"]["uid"]

        await ingress.world.until(is_new)
