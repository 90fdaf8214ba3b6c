"""Has drivers publish again what pods have, where their CSIDriver asks for it (`requiresRepublish`): so that they get
fresh tokens and secrets, and renew what they made of them.

Neighbour: `pods` publishes. It begins with the first such CSIDriver and ends with the last; without one nothing runs.
Source of the behaviour: the kubelet, which does it whenever it looks at a pod again, so at least once a minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from skerry.engine.storage.mounting.journal import Journal, Published
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, is_deleting, name_of, uid_of
from skerry.kube.resources import CSI_DRIVERS, PODS
from skerry.kube.tasks import end

log = logging.getLogger(__name__)

PERIOD = 60.0
"""Seconds, as the kubelet's `syncFrequency`."""


class Republishing:
    """Of one node. `publish`: is given a pod and one volume that it has, and tells of failures itself."""

    def __init__(
        self, informers: Informers, journal: Journal, publish: Callable[[Obj, Published], Awaitable[None]]
    ) -> None:
        self._journal = journal
        self._publish = publish
        self._pods = informers.of(PODS)
        self._drivers = informers.of(CSI_DRIVERS)
        self._task: asyncio.Task[None] | None = None
        self._drivers.add_handler(self._driver_changed)

    async def close(self) -> None:
        """Publish nothing any more."""
        self._drivers.remove_handler(self._driver_changed)
        await end(self._task)

    def _driver_changed(self, _: Delta) -> None:
        if self._task is None and self._asking():
            self._task = asyncio.create_task(self._run(), name="publish again")

    def _asking(self) -> set[str]:
        """Names of the drivers that want it."""
        return {name_of(one) for one in self._drivers.list() if (one.get("spec") or {}).get("requiresRepublish")}

    async def _run(self) -> None:
        while self._asking():
            await asyncio.sleep(PERIOD)
            asking = self._asking()
            due = [one for one in self._journal.published.values() if one.done and one.driver in asking]
            await asyncio.gather(*map(self._again, due))
        self._task = None

    async def _again(self, published: Published) -> None:
        namespace, name = published.pod
        pod = self._pods.get(name, namespace)
        if pod is None or uid_of(pod) != published.uid or is_deleting(pod):
            return
        try:
            await self._publish(pod, published)
        except Exception:
            log.exception("volume %s of pod %s/%s: unexpected failure", published.volume, namespace, name)
