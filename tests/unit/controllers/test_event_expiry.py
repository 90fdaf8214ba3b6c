"""Events are forgotten an hour after they were last seen."""

from __future__ import annotations

from skerry.engine.controllers.event_expiry import expired
from skerry.kube.objects import Obj
from tests.unit.controllers.builders import NOW, ago


def event(name: str, *, created: float, **times: object) -> Obj:
    return {"metadata": {"name": name, "creationTimestamp": ago(created)}, **times}


def test_what_was_seen_within_the_hour_stays() -> None:
    events = [
        event("old", created=3601),
        event("fresh", created=3599),
        event("seen again", created=9000, lastTimestamp=ago(10)),
        event("series", created=9000, series={"lastObservedTime": ago(10)}, lastTimestamp=ago(8000)),
        event("long ago", created=9000, firstTimestamp=ago(9000), lastTimestamp=ago(4000), eventTime=None),
    ]
    assert [each["metadata"]["name"] for each in expired(events, NOW)] == ["old", "long ago"]
