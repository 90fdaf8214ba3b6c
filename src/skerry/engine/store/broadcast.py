"""The broadcaster: hands every commit to the watchers it concerns. The stores call `publish` after each commit.

Invariants
- Watchers are found by resource, so a commit costs only those who watch what it changed. Nobody polls.
- A watcher's buffer is bounded, in changes and bytes. One that is full is cut off: it is dropped, `next` raises
  WatchOverflow.
- Changes replayed from history at the start do not count against the buffer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from skerry.engine.store.contract import Change, StoreClosed, WatchOverflow


class Subscription:
    """One watcher; implements the contract's `Watch`."""

    __slots__ = (
        "_buffer", "_bytes", "_capacity", "_ended", "_hub", "_idle", "_replay", "_timer", "_waiter", "_waiting_since",
        "namespace", "resource",
    )  # fmt: skip

    def __init__(self, hub: Broadcaster, resource: str, namespace: str | None, replay: list[Change]) -> None:
        self.resource = resource
        self.namespace = namespace
        self._hub = hub
        self._capacity = hub.capacity
        self._replay = replay
        self._buffer: list[Change] = []
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._waiting_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._idle = False
        self._ended: type[WatchOverflow] | type[StoreClosed] | None = None

    @property
    def caught_up(self) -> bool:
        """As in the contract."""
        return self._ended is None and not self._buffer and not self._replay

    async def next(self, idle: float = 0) -> Sequence[Change]:
        """As in the contract."""
        loop = asyncio.get_running_loop()
        self._idle = False
        while self._ended is None:
            if batch := self._take():
                return batch
            if self._idle:
                return ()
            if idle:
                self._waiting_since = loop.time()
                self._timer = self._timer or loop.call_later(idle, self._look, loop, idle)
            self._waiter = loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        raise self._ended(f"the watch of {self.resource} has ended")

    def _look(self, loop: asyncio.AbstractEventLoop, idle: float) -> None:
        """Whether the reader has waited for so long: a timer that looks now and then costs less than one per wait."""
        left = self._waiting_since + idle - loop.time()
        if self._waiter is not None and left <= 0:
            self._timer = None
            self._idle = True
            self._wake()
        else:
            self._timer = loop.call_later(left if left > 0 else idle, self._look, loop, idle)

    def close(self) -> None:
        """As in the contract."""
        self.end(StoreClosed)

    def end(self, why: type[WatchOverflow] | type[StoreClosed]) -> None:
        """No further changes; `next` raises `why`."""
        if self._ended is None:
            self._ended = why
            self._hub.discard(self)
            self._replay, self._buffer = [], []
            if self._timer is not None:
                self._timer.cancel()
            self._wake()

    def push(self, change: Change) -> None:
        """Add a change, or be cut off if there is no room."""
        if len(self._buffer) >= self._capacity or self._bytes > self._hub.most_bytes:
            self.end(WatchOverflow)
            return
        self._buffer.append(change)
        self._bytes += len(change.entry.value)
        if self._waiter is not None:
            self._wake()

    def _take(self) -> list[Change]:
        if self._replay:
            batch, self._replay = self._replay, []
        else:
            batch, self._buffer, self._bytes = self._buffer, [], 0
        return batch

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Broadcaster:
    """All watchers of one store."""

    __slots__ = ("_watchers", "capacity", "most_bytes")

    def __init__(self, capacity: int, most_bytes: int) -> None:
        self.capacity = capacity
        """Changes a watcher may lag behind."""
        self.most_bytes = most_bytes
        """Bytes of them, above which there is room for none."""
        self._watchers: dict[str, dict[Subscription, None]] = {}

    def subscribe(self, resource: str, namespace: str | None, replay: list[Change]) -> Subscription:
        """A watcher that gets `replay` first and then every change published from now on."""
        subscription = Subscription(self, resource, namespace, replay)
        self._watchers.setdefault(resource, {})[subscription] = None
        return subscription

    def discard(self, subscription: Subscription) -> None:
        """Stop delivering to a watcher."""
        watchers = self._watchers.get(subscription.resource, {})
        watchers.pop(subscription, None)
        if not watchers:
            self._watchers.pop(subscription.resource, None)

    def is_watched(self, resource: str) -> bool:
        """Whether anybody watches a resource."""
        return resource in self._watchers

    def publish(self, changes: Sequence[Change]) -> None:
        """Deliver committed changes, in revision order."""
        for change in changes:
            watchers = self._watchers.get(change.entry.key.resource)
            if watchers is None:
                continue
            namespace = change.entry.key.namespace
            for watcher in tuple(watchers):  # being cut off removes a watcher from the dictionary
                if watcher.namespace is None or watcher.namespace == namespace:
                    watcher.push(change)

    def close(self) -> None:
        """End all watches."""
        for watchers in list(self._watchers.values()):
            for watcher in tuple(watchers):
                watcher.end(StoreClosed)
