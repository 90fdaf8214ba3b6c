"""Services of type LoadBalancer with real packets: clients on a network beside the host reach their pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.config import EngineConfig
from skerry.kube.resources import ENDPOINT_SLICES, SERVICES
from tests.component.network.conftest import make_config
from tests.component.network.lan import CLIENT, HOST, Lan
from tests.component.network.netns import Pod, host_server
from tests.component.network.test_proxy import call, endpoints, eventually, name_in, service
from tests.support.collections import Collections

pytestmark = pytest.mark.root


@pytest.fixture
def lan(host: None) -> Iterator[Lan]:
    made = Lan()
    yield made
    made.close()


@pytest.fixture
def config(tmp_path: Path, lan: Lan) -> EngineConfig:
    return replace(make_config(tmp_path), node_ip=HOST)


def balanced(address: str, *ports: int, **spec: Any) -> dict[str, Any]:
    """A Service whose ports 80 and 53 have been given an address."""
    status = {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]}}
    return {**service(type="LoadBalancer", **spec), "status": status}


async def test_the_nodes_address_serves_the_ports_of_a_service(
    api: Collections,
    pods: list[Pod],
    lan: Lan,
) -> None:
    api.put(SERVICES, balanced(HOST))
    api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
    await eventually(lambda: lan.fetch(HOST, 80), lambda answer: answer == f"one {CLIENT}")
    assert lan.fetch(HOST, 53, "udp") == f"one {CLIENT}"
    assert name_in(call(HOST, 80)) == "one", "from the host"
    assert name_in(call("127.0.0.1", 80)) == "one", "on loopback as well, as node ports are"
    assert name_in(pods[1].fetch(HOST, 80)) == "one", "from pods"
    assert name_in(pods[0].fetch(HOST, 80)) == "one", "from the pod itself"
    api.put(SERVICES, service(type="LoadBalancer"))
    await eventually(lambda: lan.fetch(HOST, 80), lambda answer: answer == "failed ConnectionRefusedError")


async def test_source_ranges_let_in_only_those(
    api: Collections,
    pods: list[Pod],
    lan: Lan,
) -> None:
    api.put(SERVICES, balanced(HOST, loadBalancerSourceRanges=["203.0.113.0/24", "10.64.0.0/16"]))
    api.put(ENDPOINT_SLICES, endpoints(pods[0].address))
    await eventually(lambda: pods[1].fetch(HOST, 80), lambda answer: name_in(answer) == "one")
    assert lan.fetch(HOST, 53, "udp") == "failed TimeoutError"
    assert name_in(lan.fetch(HOST, 30080)) == "one", "the node port is open to all, as with kube-proxy"


async def test_what_serves_at_the_pods_gateway_is_reached_through_a_balanced_port_only(
    api: Collections,
    pods: list[Pod],
    lan: Lan,
) -> None:
    """Where the engine's own servers listen: Ingress is for everybody, DNS is not."""
    with host_server("ingress"):
        api.put(SERVICES, balanced(HOST))
        api.put(ENDPOINT_SLICES, endpoints("10.64.0.1"))
        await eventually(lambda: lan.fetch(HOST, 80), lambda answer: answer == f"ingress {CLIENT}")
        lan.run("ip", "route", "add", "10.64.0.0/15", "via", HOST)
        assert lan.fetch("10.64.0.1", 8080).startswith("failed")
        assert lan.fetch("10.65.0.20", 80).startswith("failed")
        assert name_in(pods[0].fetch(HOST, 80)) == "ingress"
