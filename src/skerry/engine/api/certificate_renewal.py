"""Renews the instance's certificates while the server runs: a machine that is left alone never has one that ended.

Whoever uses them takes up the new ones at once. What is due is judged by the wall clock, as those judge who verify
certificates, and looked at every minute, since a machine that wakes up, or whose clock is set, may find itself years
later. Something that fails (a full disk) is tried again: there are 30 days. Neighbour: `pki`, which knows what is due.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from skerry.kube.errors import StatusError
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0


class CertificateRenewal:
    """`take_up` has all who use certificates read them again; called again at the next look if it fails."""

    def __init__(self, take_up: Callable[[], Awaitable[None]]) -> None:
        self._renew: Callable[[], Sequence[str]] = tuple
        self._take_up = take_up
        self._not_taken_up = False
        self._trouble = ""
        self._task: asyncio.Task[None] | None = None

    def start(self, renew: Callable[[], Sequence[str]]) -> None:
        """Look every minute from now on. `renew`: makes what is due, and says what it made."""
        self._renew = renew
        self._task = asyncio.create_task(self._keep_looking(), name="certificate renewal")

    async def close(self) -> None:
        """Stop. Harmless twice."""
        await end(self._task)
        self._task = None

    async def look(self) -> None:
        """Renew what is due. Raises OSError, StatusError."""
        renewed = self._renew()
        if renewed:
            log.info("renewed certificates: %s", ", ".join(renewed))
            self._not_taken_up = True
        if self._not_taken_up:
            await self._take_up()
            self._not_taken_up = False

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except (OSError, StatusError) as error:
                self._report(str(error))
            else:
                self._report("")

    def _report(self, trouble: str) -> None:
        """Once, not every minute."""
        if trouble and trouble != self._trouble:
            log.error("certificates cannot be renewed: %s", trouble)
        self._trouble = trouble
