"""A platform that hears of its own writes late does nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from skerry.kube.client import WatchEvent
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Resource
from skerry.platform.releases.carrying import Carrier
from skerry.platform.releases.types import RELEASES
from tests.component.platform.releasing import release, releasing, until_reason

_LATE = 0.3  # seconds


async def _later(events: AsyncIterator[WatchEvent]) -> AsyncIterator[WatchEvent]:
    async for event in events:
        await asyncio.sleep(_LATE)
        yield event


@pytest.fixture
def lagging(monkeypatch: pytest.MonkeyPatch) -> None:
    """News of releases comes in order, but late."""
    watch = HttpClient.watch

    @asynccontextmanager
    async def watched(client: HttpClient, resource: Resource, *words: Any, **options: Any) -> Any:
        async with watch(client, resource, *words, **options) as events:
            yield _later(events) if resource == RELEASES else events

    monkeypatch.setattr(HttpClient, "watch", watched)


@pytest.mark.usefixtures("lagging")
async def test_what_failed_is_not_tried_again_before_that_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    apply = Carrier.apply

    async def noted(carrier: Carrier, target: Any, *words: Any) -> Any:
        tried.append(target.name)
        return await apply(carrier, target, *words)

    monkeypatch.setattr(Carrier, "apply", noted)
    async with releasing() as running:
        ben = running.as_user("ben")
        await ben.create(RELEASES, release("bad", values={"replicas": {"no": "number"}}), "lidar")
        await until_reason(ben, "bad", "ManifestsRefused")
        await ben.create(RELEASES, release("good"), "lidar")
        await until_reason(ben, "good", "Deployed")  # it was heard of after all that there is to hear of the other
        assert tried == ["bad", "good"]
