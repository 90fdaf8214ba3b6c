"""One instance for all tests of a module, started and swept away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from skerry.engine.node.access.pod_access import NodePodAccess
from tests.component.runtime.instance import Instance, temporary_instance


@pytest_asyncio.fixture
async def instance() -> AsyncIterator[Instance]:
    async with temporary_instance(third_octet=1) as started:
        yield started


@pytest_asyncio.fixture
async def access(instance: Instance) -> AsyncIterator[NodePodAccess]:
    opened = NodePodAccess(instance.config)
    yield opened
    await opened.close()
