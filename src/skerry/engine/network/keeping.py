"""One task that keeps something of the machine equal to what the API asks for.

Level-triggered: a change only marks it as out of date; the task works out everything that is known and brings it about,
so a burst of changes is few pieces of work. Used by `proxy`, `policy.keeper`, `announcing.announcer` and
`ingress.controller`. Invariant: no failure ends the task, an unexpected one neither: it is told, and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import ClassVar

from skerry.engine.network.commands import CommandError
from skerry.kube.errors import StatusError
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds after a failure."""


class Keeping(ABC):
    """Subclasses mark with `_changed`, say `what` they keep, and begin with `_keep`."""

    what: ClassVar[str]
    gather: ClassVar[float] = 0.002
    """Seconds: changes that arrive together are brought about together."""

    def __init__(self) -> None:
        self.trouble = ""
        """Why it is not as it should be, "" when it is; for /readyz."""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    async def _bring_about(self) -> None:
        """Make it as it should be; what changes meanwhile is looked at afterwards."""

    async def _wait_for_change(self) -> None:
        """Until there is something to do."""
        await self._changed.wait()

    async def _rest(self) -> None:
        """Leave time to others after it went well."""
        await asyncio.sleep(0)

    def _keep(self, ready: Awaitable[object]) -> None:
        """Begin when `ready` is: nothing is known before caches are complete."""
        self._task = asyncio.create_task(self._keep_current(ready), name=self.what)

    async def close(self) -> None:
        """Stop. What was brought about stays: pods outlive the engine."""
        await end(self._task)
        self._task = None

    async def _keep_current(self, ready: Awaitable[object]) -> None:
        await ready
        self._changed.set()
        while True:
            try:
                await self._wait_for_change()
                await asyncio.sleep(self.gather)
                self._changed.clear()
                await self._bring_about()
            except (CommandError, StatusError, OSError) as error:
                log.error("%s could not be brought up to date, trying again: %s", self.what, error)
                await self._failed(error)
            except Exception as error:
                log.exception("%s could not be worked out, trying again", self.what)
                await self._failed(error)
            else:
                self.trouble = ""
                await self._rest()

    async def _failed(self, error: Exception) -> None:
        self.trouble = f"{self.what} could not be brought up to date: {error}"
        self._changed.set()
        await asyncio.sleep(RETRY)


async def set_within(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for an event; whether it was set within so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
            return True
    return False
