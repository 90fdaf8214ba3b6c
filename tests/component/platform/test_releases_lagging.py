"""A platform that hears of its own writes late does nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.platform.releases.carrying import Carrier
from skerry.platform.releases.types import RELEASES
from tests.component.platform.releasing import release, releasing, until_reason
from tests.support.lagging import lag


async def test_what_failed_is_not_tried_again_before_that_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    lag(monkeypatch, RELEASES)
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
