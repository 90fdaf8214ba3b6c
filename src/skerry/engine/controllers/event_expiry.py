"""Forgets old events: an hour after they were last seen, as Kubernetes' `--event-ttl` does by default.

Kubernetes leaves this to etcd's leases. Here one pass every few minutes reads the events in chunks; no cache is kept
for something that only people look at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from skerry.engine.controllers.context import Context
from skerry.kube.clock import parse_time
from skerry.kube.controller import Controller
from skerry.kube.errors import Conflict, NotFound
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import EVENTS

TTL = timedelta(hours=1)
_PASS_SECONDS = 300.0
_CHUNK = 500
_KEY = "events"


class EventExpiry(Controller):
    """Deletes expired events, pass by pass."""

    name = "event-expiry"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self.queue.add(_KEY)

    async def reconcile(self, key: str) -> float | None:
        """One pass; asks for the next."""
        token = ""
        while True:
            chunk = await self._client.list(EVENTS, limit=_CHUNK, next_token=token)
            for event in expired(chunk.items, self._clock.now()):
                await self._delete(event)
            token = chunk.next_token
            if not token:
                return _PASS_SECONDS

    async def _delete(self, event: Obj) -> None:
        version = event["metadata"]["resourceVersion"]  # one that has just happened again stays
        options = {"preconditions": {"uid": uid_of(event), "resourceVersion": version}}
        with contextlib.suppress(NotFound, Conflict):
            await self._client.delete(EVENTS, name_of(event), namespace_of(event), options)


def expired(events: Iterable[Obj], now: datetime) -> list[Obj]:
    """Those last seen longer than the TTL ago."""
    return [event for event in events if now - last_seen(event) > TTL]


def last_seen(event: Obj) -> datetime:
    """When it last happened: of the times an event may carry, the latest."""
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return max(parse_time(time) for time in (*times, event["metadata"]["creationTimestamp"]) if time)
