"""Network policies with real packets: pods attached by the real CNI plug-ins, judged by the real kernel."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.config import EngineConfig
from skerry.engine.network.host import remove_network
from skerry.engine.network.policy.keeper import PolicyKeeper
from skerry.engine.network.proxy import ServiceProxy
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import NAMESPACES, NETWORK_POLICIES, PODS
from tests.component.network.netns import Pod, call, own_network
from tests.component.network.test_proxy import eventually, make_config, name_in
from tests.support.collections import Collections

pytestmark = pytest.mark.root

CUT_OFF = "failed TimeoutError"
_BRIEFLY = 0.5  # seconds; a slow answer is taken for none, and then asked for again only where one is wanted


@pytest.fixture
def host() -> Iterator[None]:
    assert os.geteuid() == 0, "needs root"
    with own_network():
        yield


@pytest.fixture
def config(tmp_path: Path, host: None) -> EngineConfig:
    return make_config(tmp_path)


class World:
    """An instance's network with a policy keeper at work; `pods` are at namespaces of their own choice."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.api = Collections()
        self.informers = Informers(self.api)  # type: ignore[arg-type]  # only lists and watches are needed
        self.proxy = ServiceProxy(config, self.informers)
        self.keeper = PolicyKeeper(config, self.informers)
        self.pods: list[Pod] = []

    async def start(self) -> None:
        await self.proxy.prepare()
        await self.keeper.prepare()
        await self.informers.start()
        self.proxy.start()
        self.keeper.start()

    async def close(self) -> None:
        await self.keeper.close()
        await self.proxy.close()
        await self.informers.close()
        for pod in self.pods:
            pod.close()
        await remove_network(self.config)

    async def pod(self, name: str, namespace: str = "default", **labels: str) -> Pod:
        """A pod that is attached and guarded."""
        pod = Pod(self.config, name)
        self.pods.append(pod)
        obj = pod_object(name, namespace, labels)
        self.api.put(PODS, obj)
        self.keeper.attached(obj, pod.address)
        await self.keeper.ready(obj["metadata"]["uid"])
        return pod

    def namespace(self, name: str, **labels: str) -> None:
        labels = {"kubernetes.io/metadata.name": name, **labels}
        self.api.put(NAMESPACES, {"metadata": {"name": name, "labels": labels}})

    def policy(self, name: str = "policy", namespace: str = "default", **spec: Any) -> None:
        spec = {"podSelector": {}, **spec}
        self.api.put(NETWORK_POLICIES, {"metadata": {"name": name, "namespace": namespace}, "spec": spec})


def pod_object(name: str, namespace: str, labels: dict[str, str]) -> Obj:
    ports = [{"name": "web", "containerPort": 8080, "protocol": "TCP"}]
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "uid": f"uid-{name}"},
        "spec": {"containers": [{"name": "main", "ports": ports}]},
    }


@pytest.fixture
async def world(config: EngineConfig) -> AsyncIterator[World]:
    made = World(config)
    await made.start()
    yield made
    await made.close()


async def reaches(pod: Pod, other: Pod, protocol: str = "tcp") -> None:
    await eventually(lambda: pod.fetch(other.address, 8080, protocol), lambda answer: name_in(answer) == other.name)


async def is_cut_off(pod: Pod, other: Pod, protocol: str = "tcp") -> None:
    await eventually(lambda: pod.fetch(other.address, 8080, protocol, _BRIEFLY), lambda answer: answer == CUT_OFF)


async def test_default_deny_and_what_is_let_in_again(world: World) -> None:
    one, two = await world.pod("one", app="a"), await world.pod("two", app="b")
    await reaches(one, two)
    world.policy(policyTypes=["Ingress"])
    await is_cut_off(one, two)
    await is_cut_off(two, one)
    assert name_in(call(two.address, 8080)) == "two", "the node reaches its pods"
    world.policy(
        "a",
        podSelector={"matchLabels": {"app": "b"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}],
    )
    await reaches(one, two)
    await is_cut_off(two, one)
