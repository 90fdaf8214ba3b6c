"""Events: what happened to an object, for people (`kubectl describe`, `kubectl get events`).

Repeats of the same event within the recorder's memory raise `count` instead of making a new object, as client-go's
correlator does. Recording never fails the caller: an event that cannot be written is logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from typing import Literal

from skerry.kube.client import Client
from skerry.kube.clock import Clock, rfc3339
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.resources import EVENTS

log = logging.getLogger(__name__)

_REMEMBERED = 2048
_Signature = tuple[str, str, str, str, str, str]


class Recorder:
    """Writes events on behalf of one component."""

    def __init__(self, client: Client, clock: Clock, component: str, host: str = "") -> None:
        self._client = client
        self._clock = clock
        self._source = {"component": component, **({"host": host} if host else {})}
        self._seen: OrderedDict[_Signature, tuple[str, int]] = OrderedDict()
        self._pending: set[asyncio.Task[None]] = set()
        self._locks: dict[_Signature, asyncio.Lock] = {}

    def event(
        self, involved: Obj, type_: Literal["Normal", "Warning"], reason: str, message: str, field_path: str = ""
    ) -> None:
        """Record in the background. `involved` is the object it is about, with its apiVersion and kind;
        `field_path` says which part ("spec.containers{web}")."""
        task = asyncio.create_task(self._write(involved, type_, reason, message[:1024], field_path))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def close(self) -> None:
        """Wait until what was recorded is written."""
        await asyncio.gather(*self._pending, return_exceptions=True)

    async def _write(self, involved: Obj, type_: str, reason: str, message: str, field_path: str) -> None:
        signature = (namespace_of(involved), uid_of(involved) or name_of(involved), type_, reason, message, field_path)
        lock = self._locks.setdefault(signature, asyncio.Lock())
        try:
            async with lock:
                await self._create_or_count(signature, involved, field_path)
        except StatusError as error:
            log.debug("event %s on %s not written: %s", reason, name_of(involved), error)
        finally:
            if not lock.locked():
                self._locks.pop(signature, None)

    async def _create_or_count(self, signature: _Signature, involved: Obj, field_path: str) -> None:
        now = rfc3339(self._clock.now())
        namespace = namespace_of(involved) or "default"
        if signature in self._seen:
            name, count = self._seen[signature]
            try:
                await self._client.patch(EVENTS, name, {"count": count + 1, "lastTimestamp": now}, namespace)
            except NotFound:
                pass
            else:
                self._remember(signature, name, count + 1)
                return
        event = self._build(signature, involved, field_path, now)
        await self._client.create(EVENTS, event, namespace)
        self._remember(signature, name_of(event), 1)

    def _build(self, signature: _Signature, involved: Obj, field_path: str, now: str) -> Obj:
        _, _, type_, reason, message, _ = signature
        unique = hashlib.sha256(f"{signature}{self._clock.now().timestamp()}".encode()).hexdigest()[:16]
        reference = {
            "apiVersion": involved.get("apiVersion", ""),
            "kind": involved.get("kind", ""),
            "namespace": namespace_of(involved),
            "name": name_of(involved),
            "uid": uid_of(involved),
            "resourceVersion": involved.get("metadata", {}).get("resourceVersion", ""),
            "fieldPath": field_path,
        }
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name_of(involved)}.{unique}", "namespace": namespace_of(involved) or "default"},
            "involvedObject": {key: value for key, value in reference.items() if value},
            "type": type_,
            "reason": reason,
            "message": message,
            "source": self._source,
            "reportingComponent": self._source["component"],
            "reportingInstance": self._source.get("host", ""),
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }

    def _remember(self, signature: _Signature, name: str, count: int) -> None:
        self._seen[signature] = (name, count)
        self._seen.move_to_end(signature)
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
