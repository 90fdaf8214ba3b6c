"""ConfigMaps and Secrets that pods refer to: read when needed, watched only while a volume shows some.

Nothing is cached: an engine's ConfigMaps can be large and pods read them rarely. The watch carries no state either; a
change only calls back with the name of what changed. Neighbours: `volumes.manager`, `pods.starter`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from skerry.engine.node.spec.environment import Reference
from skerry.kube.client import Client
from skerry.kube.errors import Expired, Gone, NotFound, StatusError
from skerry.kube.objects import Obj, Resource, name_of, namespace_of
from skerry.kube.resources import CONFIG_MAPS, SECRETS

log = logging.getLogger(__name__)

_RESOURCES: dict[str, Resource] = {"ConfigMap": CONFIG_MAPS, "Secret": SECRETS}
_RETRY = 1.0  # seconds until a failed watch is tried again

Changed = Callable[[str, Reference | None], None]
"""Called with namespace and reference, or ("", None) when anything may have changed."""


class ObjectReader:
    """Reads single objects."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, namespace: str, wanted: Iterable[Reference]) -> dict[Reference, Obj | None]:
        """The objects by reference; None for one that does not exist."""
        listed = list(wanted)
        found = await asyncio.gather(*(self._one(namespace, reference) for reference in listed))
        return dict(zip(listed, found, strict=True))

    async def _one(self, namespace: str, reference: Reference) -> Obj | None:
        kind, name = reference
        try:
            return await self._client.get(_RESOURCES[kind], name, namespace)
        except NotFound:
            return None


class ObjectWatch:
    """Tells of changes of ConfigMaps or Secrets, from the first `need` of the kind on."""

    def __init__(self, client: Client, changed: Changed) -> None:
        self._client = client
        self._changed = changed
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def need(self, references: Iterable[Reference]) -> None:
        """Watch the kinds of these references."""
        for kind in {kind for kind, _ in references}:
            if kind not in self._tasks:
                self._tasks[kind] = asyncio.create_task(self._run(kind), name=f"changes of {kind}s")

    async def close(self) -> None:
        """Stop watching."""
        for task in self._tasks.values():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self, kind: str) -> None:
        resource = _RESOURCES[kind]
        while True:
            try:
                revision = (await self._client.list(resource, limit=1)).resource_version
                self._changed("", None)
                await self._follow(resource, kind, revision)
            except (Expired, Gone):
                continue
            except (StatusError, OSError) as error:
                log.warning("watching %s failed, trying again: %s", resource.group_resource, error)
                await asyncio.sleep(_RETRY)

    async def _follow(self, resource: Resource, kind: str, revision: str) -> None:
        while True:
            async with self._client.watch(resource, resource_version=revision) as events:
                async for event in events:
                    revision = event.object["metadata"]["resourceVersion"]
                    if event.type != "BOOKMARK":
                        self._changed(namespace_of(event.object), (kind, name_of(event.object)))
