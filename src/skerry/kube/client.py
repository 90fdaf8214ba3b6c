"""The contract of a Kubernetes API client. Controllers, node agent, network, platform and CLI know only this.

Two implementations behave alike: `engine.api.local.LocalClient` (in the same process, no sockets) and
`kube.http_client.HttpClient` (any Kubernetes API). Every method raises `kube.errors.StatusError` subclasses and returns
shared objects that must not be changed in place (`kube.objects`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, NamedTuple, Protocol

from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record

PatchType = Literal["merge", "strategic", "json", "apply"]
PATCH_CONTENT_TYPES: dict[PatchType, str] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]


@record
class Selection:
    """What part of a collection: Kubernetes selector strings, "" for all."""

    label_selector: str = ""
    field_selector: str = ""

    def query(self) -> dict[str, str]:
        """As parameters of a URL; a new dictionary each time."""
        query = {}
        if self.label_selector:
            query["labelSelector"] = self.label_selector
        if self.field_selector:
            query["fieldSelector"] = self.field_selector
        return query

    def chunk(self, limit: int, next_token: str) -> dict[str, str]:
        """As parameters of a list's URL: a chunk of at most `limit` (0: all), after `next_token` ("": the first)."""
        query = self.query()
        if limit:
            query["limit"] = str(limit)
        if next_token:
            query["continue"] = next_token
        return query


class WatchEvent(NamedTuple):
    """One change. For DELETED the object is its last state; for BOOKMARK only its resourceVersion means something."""

    type: EventType
    object: Obj


@record
class ObjectList:
    """A list answer: items, the resourceVersion to watch from, and the token of the next chunk ("" at the end)."""

    items: list[Obj]
    resource_version: str
    next_token: str = ""


EVERYTHING = Selection()


class Client(Protocol):
    """Verbs on resources. `namespace=None` means all namespaces for list and watch."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None, subresource: str = "") -> Obj:
        """One object. Raises NotFound."""
        ...

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        limit: int = 0,
        next_token: str = "",
    ) -> ObjectList:
        """A collection, or a chunk of it when `limit` > 0. Raises Expired for a token too old."""
        ...

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        resource_version: str,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """Changes after `resource_version`, bookmarks included. Raises Expired when that is too old: list again."""
        ...

    async def create(self, resource: Resource, obj: Obj, namespace: str | None = None, subresource: str = "") -> Obj:
        """Create; returns what is stored. Raises AlreadyExists, Invalid. `subresource` e.g. "binding", "eviction"
        with `metadata.name` naming the parent."""
        ...

    async def update(self, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        """Replace; `metadata.resourceVersion`, when there, must be current. Raises Conflict, NotFound, Invalid."""
        ...

    async def patch(
        self,
        resource: Resource,
        name: str,
        patch: Obj | Sequence[Obj],
        namespace: str | None = None,
        *,
        kind: PatchType = "merge",
        subresource: str = "",
    ) -> Obj:
        """Patch; a list is a JSON patch. Raises NotFound, Conflict, Invalid."""
        ...

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, options: Obj | None = None
    ) -> Obj:
        """Delete with `DeleteOptions` (gracePeriodSeconds, propagationPolicy, preconditions). Raises NotFound."""
        ...
