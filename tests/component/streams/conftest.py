"""A running server over local pods, and kubectl against it, over each transport that it has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.component.streams.local_pods import LocalPods
from tests.component.streams.server import serving
from tests.support.api import RunningApi
from tests.support.kubectl import Kubectl


@pytest.fixture
def pods(tmp_path: Path) -> LocalPods:
    log = tmp_path / "container.log"
    log.write_text("one\ntwo\n")
    return LocalPods(log)


@pytest.fixture
async def server(pods: LocalPods) -> AsyncIterator[RunningApi]:
    async with serving(pods) as running:
        yield running


@pytest.fixture
def transport() -> Mapping[str, str]:
    """What kubectl is told of how to stream; tests of that are `over_each_transport`."""
    return {}


@pytest.fixture
def kubectl(server: RunningApi, tmp_path: Path, transport: Mapping[str, str]) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path, transport)
