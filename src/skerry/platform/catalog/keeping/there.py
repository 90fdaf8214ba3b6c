"""Which archives are in the cluster: followed by their label, their metadata only.

Who may write ConfigMaps in a catalogue's namespace may delete one; whoever keeps archives is told then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from skerry.kube.client import Selection
from skerry.kube.errors import NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Delta, Informer, metadata_only
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS
from skerry.kube.tasks import end
from skerry.platform.catalog.types import CHART_LABEL


class There:
    """Those that are there."""

    def __init__(self, client: HttpClient, gone: Callable[[Obj], None], label: str = CHART_LABEL) -> None:
        """`gone`: is called with one that was deleted."""
        self._client, self._gone = client, gone
        selection = Selection(label)
        self._informer = Informer(client.of_metadata(), CONFIG_MAPS, None, selection, metadata_only)
        self._informer.add_handler(self._changed)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow them."""
        self._task = asyncio.create_task(self._informer.run(), name="archives of charts")

    async def close(self) -> None:
        """Stop."""
        await end(self._task)

    async def missing(self, names: Iterable[str], namespace: str) -> set[str]:
        """Those of the names that are not there; the cache may be behind, so the API is asked. Raises StatusError."""
        await self._informer.synced.wait()
        unseen = [one for one in names if self._informer.get(one, namespace) is None]
        return {one for one in unseen if await self._is_missing(one, namespace)}

    async def _is_missing(self, name: str, namespace: str) -> bool:
        try:
            await self._client.get(CONFIG_MAPS, name, namespace)
        except NotFound:
            return True
        return False

    def _changed(self, delta: Delta) -> None:
        if delta.new is None:
            self._gone(delta.object)
