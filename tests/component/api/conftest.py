"""A running server and the real kubectl against it."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.api import RunningApi, running_api
from tests.support.kubectl import Kubectl


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async with running_api() as running:
        yield running


@pytest.fixture
def kubectl(api: RunningApi, tmp_path: Path) -> Kubectl:
    return Kubectl(api.kubeconfig, tmp_path)


@pytest.fixture
def collected() -> Iterator[None]:
    """For clients that leave their sockets to the garbage collector: has it come before the next test."""
    yield
    gc.collect()
