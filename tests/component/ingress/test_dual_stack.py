"""Ingress of an instance with two IP families: the same hosts at addresses of both, what apps are told of clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from skerry.engine.instance import kernel_has_ipv6
from skerry.engine.network.ingress.cluster_ingress import ClusterIngress
from skerry.kube.objects import Obj
from skerry.kube.resources import ENDPOINT_SLICES, INGRESSES, SERVICES
from tests.component.ingress.test_changes import asking, counted_loads
from tests.component.ingress.world import Ingresses, path, rule, running_ingress
from tests.support.waiting import until

pytestmark = [pytest.mark.root, pytest.mark.skipif(not kernel_has_ipv6(), reason="this kernel has no IPv6")]

NODE, NODE6, GATEWAY6 = "192.0.2.10", "2001:db8::10", "fd73:6b72:7e57:1::1"
RANGES = {"pod_cidr6": "fd73:6b72:7e57:1::/64", "service_cidr6": "fd73:6b72:7e57:2::/112"}
HOST = "web.example.com"


@asynccontextmanager
async def dual_ingress() -> AsyncIterator[Ingresses]:
    """With one app, at HOST."""
    added = await asyncio.create_subprocess_exec("ip", "address", "add", f"{NODE6}/128", "dev", "lo")
    assert await added.wait() == 0
    async with running_ingress(**RANGES, node_ip=NODE, node_ip6=NODE6) as ingress:
        await ingress.app("web")
        await ingress.create("web", rule(HOST, path("/", "web")))
        await ingress.answers(HOST, "/", "web")
        yield ingress


def addresses(obj: Obj | None) -> list[str]:
    given = ((obj or {}).get("status") or {}).get("loadBalancer") or {}
    return [one["ip"] for one in given.get("ingress") or ()]


@pytest.mark.usefixtures("either_caddy")
async def test_a_host_is_served_at_addresses_of_both_families() -> None:
    async with dual_ingress() as ingress:
        world = ingress.world
        await world.until(lambda: addresses(world.get(SERVICES, "ingress", "kube-system")) == [NODE, NODE6])
        await world.until(lambda: addresses(world.get(INGRESSES, "web", "default")) == [NODE, NODE6])
        for address in ("127.0.0.1", NODE, NODE6, "::1"):
            await ingress.answers(HOST, "/", "web", at=address)
        (six,) = [
            one["addressType"]
            for one in world.context.informers.of(ENDPOINT_SLICES).list("kube-system")
            if one["endpoints"] and one["endpoints"][0]["addresses"] == [GATEWAY6]
        ]
        assert six == "IPv6"


async def test_apps_are_told_the_ipv6_address_of_their_client() -> None:
    async with dual_ingress() as ingress:
        await ingress.world.until(lambda: addresses(ingress.world.get(INGRESSES, "web", "default")) == [NODE, NODE6])
        for address in (NODE, NODE6):
            told = (await ingress.answers(HOST, "/", "web", at=address)).told["headers"]
            client = told["x-real-ip"]
            assert (":" in client) == (":" in address)
            assert told["x-forwarded-for"] == client
            assert "[" not in client


async def test_redirects_name_the_address_as_the_client_did() -> None:
    async with dual_ingress() as ingress:
        force = {"force-ssl-redirect": "true"}
        await ingress.create("all", rule("", path("/", "web")), annotations=force)
        for asked, led_to in (
            (f"[{NODE6}]", f"[{NODE6}]"),
            (f"[{NODE6}]:80", f"[{NODE6}]"),
            ("[::1]:8080", "[::1]"),
            (f"{NODE}:80", NODE),
            ("other.example.com:80", "other.example.com"),
        ):
            answer = await ingress.status(asked, "/a?b=c", 308)
            assert answer.headers["location"] == f"https://{led_to}/a?b=c"


async def test_networks_of_clients_are_judged_in_both_families() -> None:
    async with dual_ingress() as ingress:
        await ingress.world.until(lambda: addresses(ingress.world.get(INGRESSES, "web", "default")) == [NODE, NODE6])
        client = (await ingress.answers(HOST, "/", "web", at=NODE6)).told["headers"]["x-real-ip"]
        for name, allowed in (("in", f"{client}/128"), ("out", "2001:db9::/64,192.0.2.99")):
            only = {"whitelist-source-range": allowed}
            await ingress.create(name, rule(f"{name}.example.com", path("/", "web")), annotations=only)
        await ingress.answers("in.example.com", "/", "web", at=NODE6)
        for address in (NODE, NODE6):
            await ingress.status("out.example.com", "/", 403, at=address)
        await ingress.status("in.example.com", "/", 403, at=NODE)


async def test_changes_lose_no_request_that_comes_by_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dual_ingress() as ingress:
        loads = counted_loads(ingress, monkeypatch)
        async with asking(ingress, by=1) as said:
            for number in range(6):
                await ingress.create(f"r{number}", rule(f"r{number}.example.com", path("/", "web")))
                await until(lambda number=number: len(loads) > number, "the load")  # type: ignore[misc]
        assert said["failures"] == {}
        assert min(said["answered"].values()) > len(loads)


async def test_the_next_engine_takes_over_a_caddy_with_two_families() -> None:
    async with dual_ingress() as ingress:
        caddy = ingress.ingress._controller.caddy
        before, listeners = caddy.pid, caddy.listeners
        await ingress.ingress.close()
        client, world = ingress.world.context.identity("ingress-controller"), ingress.world
        ingress.ingress = ClusterIngress(ingress.config, client, world.context.informers, world.context.recorder)
        await ingress.ingress.start()
        caddy = ingress.ingress._controller.caddy
        await until(lambda: caddy.pid == before, "the same Caddy")
        assert caddy.listeners == listeners
        await ingress.create("new", rule("new.example.com", path("/", "web")))
        await ingress.answers("new.example.com", "/", "web", at=NODE6)
