"""Level-triggered controllers: informers feed keys into a queue, workers call `reconcile(key)`.

A controller decides purely and acts separately: `reconcile` reads caches, calls a pure function that returns what
to do, and does it through the client. A conflict or failure is retried with back-off; a returned number asks to be
called again in so many seconds. Neighbours: `kube.informer`, `kube.workqueue`.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from skerry.kube.errors import Conflict, StatusError
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, Resource, controller_of, key_of, namespace_of
from skerry.kube.tasks import stop
from skerry.kube.workqueue import WorkQueue

log = logging.getLogger(__name__)

KeysOf = Callable[[Obj], Iterable[str]]


class Controller(ABC):
    """One control loop. Subclasses set `name`, connect informers in `__init__`, and implement `reconcile`."""

    name: str = "controller"
    workers: int = 4

    def __init__(self) -> None:
        self.queue = WorkQueue()
        self._tasks: list[asyncio.Task[None]] = []
        self._watched: list[tuple[Informer, KeysOf]] = []

    @abstractmethod
    async def reconcile(self, key: str) -> float | None:
        """Bring what `key` names closer to what is wanted. Returns seconds until it must be looked at again."""

    def watch(self, informer: Informer, keys_of: KeysOf = lambda obj: (key_of(obj),)) -> None:
        """Queue the keys that `keys_of` gives for the old and the new state of every object that changes."""

        def handle(delta: Delta) -> None:
            for state in (delta.old, delta.new):
                for key in keys_of(state) if state is not None else ():
                    self.queue.add(key)

        informer.add_handler(handle)
        self._watched.append((informer, keys_of))

    def look_again(self) -> None:
        """Queue every key that the watched objects give: something beside them has changed. Not for every day."""
        for informer, keys_of in self._watched:
            for obj in informer.list():
                for key in keys_of(obj):
                    self.queue.add(key)

    def watch_owned(self, informer: Informer, owner: Resource) -> None:
        """Queue the controlling owner of every object that changes, when it is of the kind `owner`."""

        def owner_key(obj: Obj) -> Iterable[str]:
            reference = controller_of(obj)
            if reference and reference["kind"] == owner.kind and reference["apiVersion"] == owner.api_version:
                yield f"{namespace_of(obj)}/{reference['name']}"

        self.watch(informer, owner_key)

    def start(self) -> None:
        """Start the workers. Informers must have been started (and synced) by whoever owns them."""
        self._tasks = [asyncio.create_task(self._work(), name=f"{self.name} {n}") for n in range(self.workers)]

    async def close(self) -> None:
        """Stop the workers."""
        self.queue.close()
        await stop(*self._tasks)

    async def _work(self) -> None:
        while True:
            key = await self.queue.take()
            try:
                await self._reconcile_once(key)
            finally:
                self.queue.done(key)

    async def _reconcile_once(self, key: str) -> None:
        try:
            again = await self.reconcile(key)
        except Conflict:
            self.queue.add_rate_limited(key)  # somebody was faster; the cache will show it
        except (StatusError, OSError) as error:
            log.warning("%s: %s: %s", self.name, key, error)
            self.queue.add_rate_limited(key)
        except Exception:
            log.exception("%s: %s: unexpected failure", self.name, key)
            self.queue.add_rate_limited(key)
        else:
            self.queue.forget(key)
            if again is not None:
                self.queue.add_after(key, again)
