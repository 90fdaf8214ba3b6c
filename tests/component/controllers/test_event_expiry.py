"""Old events leave the real API; others stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from skerry.engine.controllers.event_expiry import EventExpiry
from skerry.kube.clock import SystemClock, rfc3339
from skerry.kube.resources import EVENTS
from tests.support.clock import SetClock
from tests.support.controllers import running_controllers


async def test_events_expire() -> None:
    now = SystemClock().now()
    later = SetClock(now + timedelta(minutes=90))
    about = {"kind": "Pod", "name": "web", "namespace": "default"}
    async with running_controllers() as world:
        for name, moment in (("old", now), ("recent", later.now() - timedelta(minutes=1))):
            event = {"metadata": {"name": name}, "involvedObject": about, "lastTimestamp": rfc3339(moment)}
            await world.client.create(EVENTS, event, "default")
        expiry = EventExpiry(replace(world.context.acting_as("event-expiry"), clock=later))
        assert await expiry.reconcile("events") == 300
        left = await world.client.list(EVENTS, "default")
        await expiry.close()
    assert [event["metadata"]["name"] for event in left.items] == ["recent"]
