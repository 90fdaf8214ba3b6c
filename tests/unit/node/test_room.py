"""Pods that do not fit on their node are not taken, whoever bound them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from skerry.engine.node.node_object import MOST_PODS
from skerry.engine.node.pods.room import no_free_ports, no_room, requests_of
from skerry.kube.host_ports import host_ports
from skerry.kube.objects import Obj
from tests.unit.node.views import container, pod

NODE = {"cpu": Decimal(2), "memory": Decimal(2**30), "ephemeral-storage": Decimal(2**30)}
NOTHING = requests_of(pod())


def asking(**requests: str) -> Obj:
    return pod(container(resources={"requests": requests}))


@pytest.mark.parametrize(
    ("wanted", "others", "reason", "message"),
    [
        ({"cpu": "3"}, [], "OutOfcpu", "cpu, requested: 3000, used: 0, capacity: 2000"),
        ({"cpu": "1"}, ["900m", "200m"], "OutOfcpu", "cpu, requested: 1000, used: 1100, capacity: 2000"),
        ({"memory": "2Gi"}, [], "OutOfmemory", "memory, requested: 2147483648, used: 0, capacity: 1073741824"),
        ({"ephemeral-storage": "2Gi"}, [], "OutOfephemeral-storage", "ephemeral-storage, requested: 2147483648"),
    ],
)
def test_too_much(wanted: dict[str, str], others: list[str], reason: str, message: str) -> None:
    held = [requests_of(asking(cpu=cpu)) for cpu in others]
    refused = no_room(requests_of(asking(**wanted)), held, NODE)
    assert refused is not None
    assert refused[0] == reason
    assert refused[1].startswith(f"Node didn't have enough resource: {message}")


def test_what_fits() -> None:
    assert no_room(requests_of(asking(cpu="1")), [requests_of(asking(cpu="1"))], NODE) is None
    assert no_room(NOTHING, [requests_of(asking(cpu="3"))], NODE) is None, "who asks for nothing takes nothing"
    assert no_room(NOTHING, [NOTHING] * (MOST_PODS - 1), NODE) is None
    assert no_room(NOTHING, [NOTHING] * MOST_PODS, NODE) == (
        "OutOfpods",
        f"Node didn't have enough resource: pods, requested: 1, used: {MOST_PODS}, capacity: {MOST_PODS}",
    )


def exposing(**port: object) -> Obj:
    return pod(container(ports=[{"containerPort": 80, "hostPort": 21017, **port}]))


@pytest.mark.parametrize(
    ("there", "refused"),
    [
        (exposing(), True),
        (exposing(hostIP="192.0.2.1"), True),
        (exposing(protocol="UDP"), False),
        (exposing(hostPort=21018), False),
        (pod(), False),
    ],
)
def test_ports_that_another_pod_has(there: Obj, refused: bool) -> None:
    answer = no_free_ports(host_ports(exposing()), [pod(), there])
    assert (answer is not None) == refused
    assert answer is None or answer[0] == "NodePorts"
    assert no_free_ports(host_ports(pod()), [there]) is None
