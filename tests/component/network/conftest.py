"""A host of our own for each test of the network: a namespace, pods in it, the service proxy at work."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from skerry.engine.config import EngineConfig, Paths
from skerry.engine.network.host import remove_network
from skerry.engine.network.proxy import ServiceProxy
from skerry.kube.informer import Informers
from tests.component.network.netns import Pod, own_network
from tests.support.collections import Collections


@pytest.fixture
def host() -> Iterator[None]:
    assert os.geteuid() == 0, "needs root"
    with own_network():
        yield


def make_config(directory: Path, index: int = 0) -> EngineConfig:
    instance = f"c{index:03x}"
    return EngineConfig(
        instance=instance,
        paths=Paths(data=directory / f"data{index}", run=directory / "run" / instance),
        node_name="here",
        bind="127.0.0.1",
        port=0,
        pod_cidr=f"10.{64 + 2 * index}.0.0/16",
        service_cidr=f"10.{65 + 2 * index}.0.0/16",
        index=index,
    )


@pytest.fixture
def config(tmp_path: Path, host: None) -> EngineConfig:
    return make_config(tmp_path)


@pytest.fixture
def pods(config: EngineConfig) -> Iterator[list[Pod]]:
    made = [Pod(config, "one"), Pod(config, "two")]
    yield made
    for pod in made:
        pod.close()


@pytest.fixture
async def api(config: EngineConfig) -> AsyncIterator[Collections]:
    """The proxy at work on an API of ours."""
    collections = Collections()
    informers = Informers(collections)  # type: ignore[arg-type]  # only lists and watches are needed
    proxy = ServiceProxy(config, informers)
    await proxy.prepare()
    await informers.start()
    proxy.start()
    yield collections
    await proxy.close()
    await informers.close()
    await remove_network(config)
