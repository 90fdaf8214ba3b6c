"""Ranges of addresses and node ports that are used up: Kubernetes' errors, and nothing half done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from skerry.kube.errors import InternalError, Invalid, StatusError
from skerry.kube.objects import Obj
from skerry.kube.resources import SERVICES
from tests.support.api import RunningApi, running_api


def service(name: str, **spec: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


async def stored(api: RunningApi) -> list[str]:
    return sorted(one["metadata"]["name"] for one in (await api.client.list(SERVICES, "default")).items)


async def test_addresses_used_up() -> None:
    async with running_api(settings={"service_cidr": "10.112.0.0/29"}) as api:
        before = await stored(api)
        given = []
        with pytest.raises(InternalError, match="failed to allocate a serviceIP: range is full"):
            for number in range(9):
                made = await api.client.create(SERVICES, service(f"s{number}"), "default")
                given.append(made["spec"]["clusterIP"])
        assert len(set(given)) == len(given)
        assert await stored(api) == sorted([*before, *(f"s{n}" for n in range(len(given)))])
        await api.client.delete(SERVICES, "s0", "default")
        assert (await api.client.create(SERVICES, service("again"), "default"))["spec"]["clusterIP"] == given[0]


async def test_node_ports_used_up_cost_no_address() -> None:
    async with running_api(settings={"node_ports": (30000, 30002), "service_cidr": "10.112.0.0/29"}) as api:
        two = [{"name": name, "port": port} for name, port in (("a", 80), ("b", 443))]
        await api.client.create(SERVICES, service("first", type="NodePort", ports=two), "default")
        for _ in range(8):
            with pytest.raises(InternalError, match="failed to allocate a nodePort: range is full"):
                await api.client.create(SERVICES, service("second", type="NodePort", ports=two), "default")
        last = await api.client.create(SERVICES, service("third", type="NodePort"), "default")
        assert last["spec"]["ports"][0]["nodePort"] in range(30000, 30003)
        local = service(
            "fourth", type="LoadBalancer", externalTrafficPolicy="Local", allocateLoadBalancerNodePorts=False
        )
        with pytest.raises(InternalError, match="failed to allocate a HealthCheck NodePort: range is full"):
            await api.client.create(SERVICES, local, "default")
        assert "fourth" not in await stored(api)


async def test_many_at_once_get_what_there_is_and_no_more() -> None:
    async with running_api(settings={"node_ports": (30000, 30004)}) as api:
        wanted = [api.client.create(SERVICES, service(f"s{n}", type="NodePort"), "default") for n in range(12)]
        answers = await asyncio.gather(*wanted, return_exceptions=True)
        made = [one for one in answers if isinstance(one, dict)]
        assert len({one["spec"]["ports"][0]["nodePort"] for one in made}) == len(made) == 5
        assert all(isinstance(one, StatusError) for one in answers if not isinstance(one, dict))
        assert len([name for name in await stored(api) if name.startswith("s")]) == 5


async def test_a_port_for_health_checks_is_kept_and_given_back() -> None:
    async with running_api() as api:
        local = service("web", type="LoadBalancer", externalTrafficPolicy="Local")
        made = await api.client.create(SERVICES, local, "default")
        port = made["spec"]["healthCheckNodePort"]
        assert port not in (0, made["spec"]["ports"][0]["nodePort"])
        again = await api.client.update(SERVICES, {**local, "metadata": {"name": "web", "namespace": "default"}})
        assert again["spec"]["healthCheckNodePort"] == port
        with pytest.raises(Invalid, match="field is immutable"):
            await api.client.patch(SERVICES, "web", {"spec": {"healthCheckNodePort": port - 1}}, "default")
        taken = service("other", type="NodePort", ports=[{"port": 80, "nodePort": port}])
        with pytest.raises(Invalid, match="provided port is already allocated"):
            await api.client.create(SERVICES, taken, "default")
        now = await api.client.patch(SERVICES, "web", {"spec": {"externalTrafficPolicy": "Cluster"}}, "default")
        assert not now["spec"].get("healthCheckNodePort")
        await api.client.create(SERVICES, taken, "default")
