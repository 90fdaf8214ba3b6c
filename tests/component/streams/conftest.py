"""A running server over local pods, and kubectl against it."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
def kubectl(server: RunningApi, tmp_path: Path) -> Kubectl:
    return Kubectl(server.kubeconfig, tmp_path)
