"""One server for a test, with a memory store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.api import RunningApi, running_api


@pytest.fixture
async def api() -> AsyncIterator[RunningApi]:
    async with running_api() as running:
        yield running
