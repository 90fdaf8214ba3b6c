"""Wakes pages that are open when something in their namespace changes: from the platform's caches, told once for all.

What woke a page says nothing: the page looks again with its person's own rights.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import namespace_of
from skerry.kube.resources import PODS
from skerry.platform.releases.types import RELEASES

_TOGETHER = 0.3
"""Seconds in which changes count as one."""


class Changes:
    """One for the whole portal, made before caches are started."""

    def __init__(self, informers: Informers) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        for resource in (PODS, RELEASES):
            informers.of(resource).add_handler(self._changed)

    @contextmanager
    def of(self, *namespaces: str) -> Iterator[Woken]:
        """For as long as a page is open."""
        changed = asyncio.Event()
        for one in namespaces:
            self._waiting.setdefault(one, set()).add(changed)
        try:
            yield Woken(changed)
        finally:
            for one in set(namespaces):
                self._waiting[one].discard(changed)
                if not self._waiting[one]:
                    del self._waiting[one]

    def _changed(self, delta: Delta) -> None:
        for one in self._waiting.get(namespace_of(delta.object), ()):
            one.set()


class Woken:
    """Of one page."""

    def __init__(self, changed: asyncio.Event) -> None:
        self._changed = changed

    async def wait(self, longest: float) -> None:
        """Until something changed, or so many seconds passed: not everything that pages show is in caches."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._changed.wait()
                await asyncio.sleep(_TOGETHER)
        self._changed.clear()
