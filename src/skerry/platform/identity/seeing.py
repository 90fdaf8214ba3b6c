"""Waiting until a cache shows what was written, so that who asks next is answered by what is so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, name_of

_LONGEST = 30.0  # seconds; a watch that was cut comes back within ten


class Sight:
    """Of the objects of one informer, which have no namespace."""

    def __init__(self, informer: Informer) -> None:
        self._informer = informer
        self._waiting: dict[str, set[asyncio.Event]] = {}
        informer.add_handler(self._changed)

    async def written(self, obj: Obj) -> None:
        """Returns when the cache reflects this write, or a later one of the same object. `obj`: as the API answered.
        Raises TimeoutError. Not by what it says: others may have written again before anybody looks."""
        revision = int(obj["metadata"]["resourceVersion"])
        await self.until(name_of(obj), lambda _: self._informer.revision >= revision)

    async def until(self, name: str, is_so: Callable[[Obj | None], bool]) -> None:
        """Returns when the cache's object of this name (None: there is none) is so. Raises TimeoutError."""
        changed = asyncio.Event()
        self._waiting.setdefault(name, set()).add(changed)
        try:
            async with asyncio.timeout(_LONGEST):
                while not is_so(self._informer.get(name)):
                    await changed.wait()
                    changed.clear()
        finally:
            self._waiting[name].discard(changed)
            if not self._waiting[name]:
                del self._waiting[name]

    def _changed(self, delta: Delta) -> None:
        for one in self._waiting.get(name_of(delta.object), ()):
            one.set()
