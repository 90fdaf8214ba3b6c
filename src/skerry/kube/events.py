"""Events: what happened to an object, for people (`kubectl describe`, `kubectl get events`).

One writer in the background keeps their order and never delays the caller. As client-go's correlator does, repeats of
the same event raise `count` instead of making a new object, and one object that floods is cut short (a burst of 25,
then one in five minutes). Recording never fails the caller: an event that cannot be written is logged.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict, deque
from copy import copy
from typing import Literal

from skerry.kube.client import Client
from skerry.kube.clock import Clock, rfc3339
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import EVENTS

log = logging.getLogger(__name__)

EventType = Literal["Normal", "Warning"]
_REMEMBERED = 2048
_LONGEST_QUEUE = 10_000
_BURST, _REFILL_SECONDS = 25, 300.0
_LONGEST_MESSAGE = 1024


@record
class _Happening:
    """One recorded event on its way to the API."""

    component: str
    involved: Obj
    type: EventType
    reason: str
    message: str
    field_path: str
    time: str

    @property
    def signature(self) -> tuple[str, ...]:
        """What two repeats of the same event have in common."""
        about = uid_of(self.involved) or name_of(self.involved)
        place = namespace_of(self.involved)
        return (self.component, place, about, self.field_path, self.type, self.reason, self.message)


class Recorder:
    """Writes events on behalf of one component; `named` gives one for another component with the same writer."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self._component = component
        self._clock = clock
        self._writer = _Writer(client, clock, host)

    def named(self, component: str) -> Recorder:
        """A recorder for another component of the same program."""
        other = copy(self)
        other._component = component
        return other

    def event(self, involved: Obj, type_: EventType, reason: str, message: str, field_path: str = "") -> None:
        """Record in the background. `involved` is the object it is about, with its apiVersion and kind;
        `field_path` says which part ("spec.containers{web}")."""
        now = rfc3339(self._clock.now())
        text = message[:_LONGEST_MESSAGE]
        self._writer.add(_Happening(self._component, involved, type_, reason, text, field_path, now))

    async def close(self) -> None:
        """Wait until what was recorded is written."""
        await self._writer.close()


class _Writer:
    """The one task that writes, living only while there is something to write."""

    def __init__(self, client: Client, clock: Clock, host: str) -> None:
        self._client = client
        self._host = host
        self._queue: deque[_Happening] = deque()
        self._task: asyncio.Task[None] | None = None
        self._seen: OrderedDict[tuple[str, ...], tuple[str, int]] = OrderedDict()
        self._spam = _SpamFilter(clock)

    def add(self, happening: _Happening) -> None:
        if len(self._queue) >= _LONGEST_QUEUE or not self._spam.admits(happening):
            log.debug("event %s on %s dropped", happening.reason, name_of(happening.involved))
            return
        self._queue.append(happening)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all(), name="event recorder")

    async def close(self) -> None:
        if self._task is not None:
            await self._task

    async def _write_all(self) -> None:
        while self._queue:
            happening = self._queue.popleft()
            try:
                await self._create_or_count(happening)
            except (StatusError, OSError) as error:
                log.debug("event %s on %s not written: %s", happening.reason, name_of(happening.involved), error)

    async def _create_or_count(self, happening: _Happening) -> None:
        signature, namespace = happening.signature, namespace_of(happening.involved) or "default"
        if signature in self._seen:
            name, count = self._seen[signature]
            try:
                repeat = {"count": count + 1, "lastTimestamp": happening.time}
                await self._client.patch(EVENTS, name, repeat, namespace)
            except NotFound:
                pass  # it has expired meanwhile
            else:
                self._remember(signature, name, count + 1)
                return
        event = build_event(happening, self._host)
        await self._client.create(EVENTS, event, namespace)
        self._remember(signature, name_of(event), 1)

    def _remember(self, signature: tuple[str, ...], name: str, count: int) -> None:
        self._seen[signature] = (name, count)
        self._seen.move_to_end(signature)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)


class _SpamFilter:
    """A token bucket per component and object."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def admits(self, happening: _Happening) -> bool:
        """Whether one more event about this object is all right; takes a token if so."""
        key = (happening.component, uid_of(happening.involved) or name_of(happening.involved))
        now = self._clock.steady().timestamp()
        tokens, at = self._buckets.get(key, (float(_BURST), now))
        tokens = min(float(_BURST), tokens + (now - at) / _REFILL_SECONDS)
        admitted = tokens >= 1.0
        self._buckets[key] = (tokens - 1.0 if admitted else tokens, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return admitted


def build_event(happening: _Happening, host: str) -> Obj:
    """The `v1.Event` of a first occurrence."""
    involved = happening.involved
    namespace = namespace_of(involved) or "default"
    # as client-go names them, so that what happened within a second is listed in order; the end keeps writers apart
    suffix = f"{time.time_ns():x}{secrets.token_hex(2)}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name_of(involved)[:230]}.{suffix}", "namespace": namespace},
        "involvedObject": _reference(involved, happening.field_path),
        "type": happening.type,
        "reason": happening.reason,
        "message": happening.message,
        "source": {"component": happening.component, **({"host": host} if host else {})},
        "reportingComponent": happening.component,
        "reportingInstance": host,
        "firstTimestamp": happening.time,
        "lastTimestamp": happening.time,
        "count": 1,
    }


def _reference(involved: Obj, field_path: str) -> Obj:
    reference = {
        "apiVersion": involved.get("apiVersion", ""),
        "kind": involved.get("kind", ""),
        "namespace": namespace_of(involved),
        "name": name_of(involved),
        "uid": uid_of(involved),
        "resourceVersion": involved.get("metadata", {}).get("resourceVersion", ""),
        "fieldPath": field_path,
    }
    return {key: value for key, value in reference.items() if value}
