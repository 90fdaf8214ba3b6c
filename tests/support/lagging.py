"""News of some resources that comes in order, but late, as on a machine that has no time: what acts on its cache acts
on what was before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from skerry.kube.client import WatchEvent
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Resource


def lag(patch: pytest.MonkeyPatch, *resources: Resource, seconds: float = 0.3) -> None:
    """From now on, to whoever watches them over HTTP; each event takes so long."""
    watch = HttpClient.watch

    @asynccontextmanager
    async def watched(client: HttpClient, resource: Resource, *words: Any, **options: Any) -> Any:
        async with watch(client, resource, *words, **options) as events:
            yield _later(events, seconds) if resource in resources else events

    patch.setattr(HttpClient, "watch", watched)


async def _later(events: AsyncIterator[WatchEvent], seconds: float) -> AsyncIterator[WatchEvent]:
    async for event in events:
        await asyncio.sleep(seconds)
        yield event
