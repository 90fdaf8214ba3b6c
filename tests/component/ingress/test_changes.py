"""Requests while what is served changes all the time: none is lost, on new connections or on those that are kept."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from skerry.engine.network.ingress.document import DRAIN_MILLISECONDS
from skerry.kube.objects import Obj
from skerry.kube.resources import INGRESSES
from tests.component.ingress.world import Ingresses, path, rule, running_ingress
from tests.support.waiting import until

pytestmark = pytest.mark.root

_LOADS = 25
_HOST = "web.example.com"


@asynccontextmanager
async def asking(ingress: Ingresses, by: int = 0) -> AsyncIterator[dict[str, Any]]:
    """Clients who ask all the time, `by` which of Caddy's addresses; how they fared is there afterwards."""
    listeners = ingress.ingress._controller.caddy.listeners
    program, drain = Path(__file__).with_name("asking.py"), DRAIN_MILLISECONDS / 1000
    words = [str(program), _HOST, listeners.addresses[by], str(listeners.http), str(drain)]
    pipe = asyncio.subprocess.PIPE
    clients = await asyncio.create_subprocess_exec(sys.executable, "-P", *words, stdin=pipe, stdout=pipe)
    said: dict[str, Any] = {}
    try:
        assert clients.stdout is not None
        assert await clients.stdout.readline() == b"asking\n"
        yield said
        said |= json.loads((await clients.communicate(b""))[0])
    finally:
        if clients.returncode is None:
            clients.kill()
            await clients.wait()


def counted_loads(ingress: Ingresses, monkeypatch: pytest.MonkeyPatch) -> list[Obj]:
    """The configurations that Caddy takes from now on."""
    admin = ingress.ingress._controller.caddy.admin
    load, loads = admin.load, []

    async def counting(document: Obj) -> None:
        loads.append(document)
        await load(document)

    monkeypatch.setattr(admin, "load", counting)
    return loads


async def test_changes_of_endpoints_and_routes_lose_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_ingress() as ingress:
        apps = [await ingress.app(name, service=False) for name in ("one", "two", "three")]
        await ingress.publish("web", apps)
        await ingress.create("web", rule(_HOST, path("/", "web")))
        await ingress.answers(_HOST, "/", "one")
        loads = counted_loads(ingress, monkeypatch)
        async with asking(ingress) as said:
            changes = 0
            while len(loads) < _LOADS:
                await ingress.publish("web", [apps[changes % 3], apps[(changes + 1) % 3]])
                if changes % 10 == 0:
                    await ingress.create(f"r{changes}", rule(f"r{changes}.example.com", path("/", "web")))
                if changes % 10 == 9:
                    await ingress.world.client.delete(INGRESSES, f"r{changes - 9}", "default")
                changes += 1
                await asyncio.sleep(0.02)
        print(f"{changes} changes, {len(loads)} configurations: {said}")
        assert said["failures"] == {}
        assert min(said["answered"].values()) > _LOADS
        assert changes > len(loads), "what changes together is loaded together"


async def test_a_connection_begun_after_a_change_is_served_as_it_says() -> None:
    """The configuration before is still there, for others."""
    async with running_ingress() as ingress:
        for name in ("one", "two"):
            await ingress.app(name)
        await ingress.create("web", rule(_HOST, path("/", "one")))
        await ingress.answers(_HOST, "/", "one")
        for name in ("two", "one", "two"):
            await ingress.world.client.patch(
                INGRESSES, "web", {"spec": {"rules": [rule(_HOST, path("/", name))]}}, "default"
            )
            dial = f":{ingress.apps[f'default/{name}'].port}"
            await until(lambda dial=dial: dial in json.dumps(ingress.ingress._controller._loaded), "the load")
            answers = [(await ingress.ask(_HOST)).told["app"] for _ in range(20)]
            assert set(answers) == {name}


async def test_a_request_finds_the_successor_of_the_only_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Caddy is told that there is one; an error of the app is not tried again."""
    async with running_ingress() as ingress:
        one, two = [await ingress.app(name, service=False) for name in ("one", "two")]
        await ingress.publish("web", [one])
        await ingress.create("web", rule(_HOST, path("/", "web")))
        await ingress.answers(_HOST, "/", "one")
        route = await asyncio.create_subprocess_exec("ip", "route", "add", "default", "dev", "lo")
        assert await route.wait() == 0, "the kernel translates what it can route"
        monkeypatch.setattr(ingress.ingress._controller, "_serve", AsyncMock())  # hears of nothing
        assert {(await ingress.ask(_HOST)).told["app"] for _ in range(10)} == {"one"}
        one.stop()
        await ingress.publish("web", [two])
        await ingress.answers(_HOST, "/", "two")
        body = b"x" * 10_000
        told = [(await ingress.ask(_HOST, method=method, body=body)).told for method in ("GET", "POST", "PUT")]
        assert [(each["app"], each["length"]) for each in told] == [("two", len(body))] * 3
        assert (await ingress.ask(_HOST, "/no")).status == 401
        two.stop()
        assert (await ingress.ask(_HOST)).status == 502


async def test_what_is_asked_again_is_what_was_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The path as it was rewritten, and by the rules of the app that failed, not of another."""
    async with running_ingress() as ingress:
        for name, asked in (("web", {"rewrite-target": "/app/$1", "use-regex": "true"}), ("api", {})):
            app = await ingress.app(name, service=False)
            await ingress.publish(name, [app])
            below = path("/old/(.*)" if asked else "/", name, "ImplementationSpecific" if asked else "Prefix")
            more = {"x-forwarded-prefix": f"/{name}"}
            await ingress.create(name, rule(f"{name}.example.com", below), annotations={**asked, **more})
            await ingress.answers(f"{name}.example.com", "/old/a", name)
        route = await asyncio.create_subprocess_exec("ip", "route", "add", "default", "dev", "lo")
        assert await route.wait() == 0, "the kernel translates what it can route"
        monkeypatch.setattr(ingress.ingress._controller, "_serve", AsyncMock())  # hears of nothing
        for name, target in (("web", "/app/a?b=c"), ("api", "/old/a?b=c")):
            ingress.apps[f"default/{name}"].stop()
            await ingress.publish(name, [await ingress.app(f"{name}2", service=False)])
            told = (await ingress.answers(f"{name}.example.com", "/old/a?b=c", f"{name}2")).told
            assert (told["target"], told["headers"]["x-forwarded-prefix"]) == (target, f"/{name}")
