"""One node for all tests of this directory: starting containerd anew for each would take most of the time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.component.node.node import Node, running_node


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def node() -> AsyncIterator[Node]:
    async with running_node(40) as started:
        yield started
