"""healthCheckNodePort: what balancers are told about a Service's endpoints on this node."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from asyncio import to_thread
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.network.health_checks import HealthChecks
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import ENDPOINT_SLICES, SERVICES
from tests.component.network.conftest import make_config
from tests.component.network.test_announcing import Events
from tests.support.collections import Collections
from tests.support.dns_servers import free_port
from tests.support.waiting import until


def service(port: int, **spec: Any) -> Obj:
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": port, **spec}
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def pieces(*nodes: str) -> Obj:
    listed = [
        {"addresses": [f"10.64.0.{n}"], "nodeName": node, "conditions": {"ready": True}} for n, node in enumerate(nodes)
    ]
    labels = {"kubernetes.io/service-name": "web"}
    return {"metadata": {"name": "web-1", "namespace": "shop", "labels": labels}, "endpoints": listed}


def ask(port: int) -> tuple[int, dict[str, Any], str]:
    """Status, body, weight."""
    try:
        answer = urllib.request.urlopen(f"http://127.0.0.2:{port}/healthz", timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.load(answer), answer.headers["X-Load-Balancing-Endpoint-Weight"]


async def test_the_port_tells_how_many_endpoints_there_are_here(tmp_path: Path) -> None:
    api, events, port, other = Collections(), Events(), free_port(), free_port()
    informers = Informers(api)  # type: ignore[arg-type]  # only lists and watches are needed
    trouble = [""]
    checks = HealthChecks(make_config(tmp_path, 1), informers, events, lambda: trouble[0])  # type: ignore[arg-type]
    await informers.start()
    checks.start()
    api.put(SERVICES, service(port))
    api.put(ENDPOINT_SLICES, pieces("here", "there", "here"))
    await until(lambda: checks.ports == {port})

    async def counted(wanted: int) -> bool:
        return (await to_thread(ask, port))[1]["localEndpoints"] == wanted

    await until(lambda: counted(2))
    about = {"service": {"namespace": "shop", "name": "web"}, "localEndpoints": 2, "serviceProxyHealthy": True}
    assert await to_thread(ask, port) == (200, about, "2")
    trouble[0] = "rules could not be loaded"
    assert (await to_thread(ask, port))[0] == 503
    trouble[0] = ""
    api.put(ENDPOINT_SLICES, pieces("there"))
    await until(lambda: counted(0))
    assert (await to_thread(ask, port))[0] == 503
    with socket.create_server(("127.0.0.2", other)):
        api.put(SERVICES, service(other))
        await until(lambda: f"on port {other}" in events.of("FailedToStartServiceHealthcheck"))
    api.put(SERVICES, service(port))
    await until(lambda: checks.ports == {port})
    api.put(SERVICES, service(port, externalTrafficPolicy="Cluster"))

    await until(lambda: not checks.ports)
    with pytest.raises(urllib.error.URLError, match="refused"):
        await to_thread(ask, port)
    await checks.close()
    await informers.close()
