"""The API without HTTP, for who lives in the same process: the same verbs, admission and checks, no encoding.

Implements `kube.client.Client`. Objects handed out are the store's own decoded ones, shared by everybody: never to be
changed. Objects handed in are copied.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TypeAlias

import orjson

from skerry.engine.api.refusals import no_such_path
from skerry.engine.api.request import NO_QUERY, Handler, Request, Target, User
from skerry.engine.api.response import BrokenOff, Computed, Event, Listing, Raw, Response, Stored, Streamed, Watching
from skerry.engine.schema.registry import Registry
from skerry.kube.answers import error_of, events_of
from skerry.kube.client import EVERYTHING, PATCH_CONTENT_TYPES, ObjectList, PatchType, Selection, WatchEvent
from skerry.kube.errors import InternalError, ServiceUnavailable
from skerry.kube.objects import Obj, Resource, name_of, namespace_of

Body: TypeAlias = Obj | list[Obj]
_FAILED = 400
"""The first code of answers that are failures."""


class LocalClient:
    """A client acting as `user`. Made by `ApiServer.client`."""

    def __init__(self, handler: Handler, registry: Registry, user: User, agent: str) -> None:
        """`agent`: the name of the program, which is who manages the fields it writes."""
        self._handler = handler
        self._registry = registry
        self._user = user
        self._headers = {b"user-agent": agent.encode()}
        self._applying = {"fieldManager": agent, "force": "true"}

    async def get(self, resource: Resource, name: str, namespace: str | None = None, subresource: str = "") -> Obj:
        """As in `kube.client.Client`."""
        return _object(await self._do("get", self._target(resource, namespace, name, subresource)))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        limit: int = 0,
        next_token: str = "",
    ) -> ObjectList:
        """As in `kube.client.Client`."""
        query = selection.chunk(limit, next_token)
        response = await self._do("list", self._target(resource, namespace), query)
        if isinstance(response, Computed):  # what is measured, or served elsewhere
            return ObjectList(response.obj["items"], response.obj["metadata"].get("resourceVersion", ""))
        assert isinstance(response, Listing)
        items = [entry.shared() for entry in response.entries]
        return ObjectList(items, str(response.revision), response.next_token)

    @contextlib.asynccontextmanager
    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        selection: Selection = EVERYTHING,
        *,
        resource_version: str,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """As in `kube.client.Client`. It lasts until it is left."""
        query = {**selection.query(), "resourceVersion": resource_version, "allowWatchBookmarks": "true"}
        response = await self._do("watch", self._target(resource, namespace), query)
        if isinstance(response, Streamed):
            try:
                yield events_of(response.chunks)
            finally:
                await response.close()
            return
        assert isinstance(response, Watching)
        try:
            yield _events(response)
        finally:
            response.stream.close()
            response.over()

    async def create(self, resource: Resource, obj: Obj, namespace: str | None = None, subresource: str = "") -> Obj:
        """As in `kube.client.Client`."""
        namespace = namespace or namespace_of(obj)
        name = name_of(obj) if subresource else ""
        return _object(await self._do("create", self._target(resource, namespace, name, subresource), body=obj))

    async def update(self, resource: Resource, obj: Obj, subresource: str = "") -> Obj:
        """As in `kube.client.Client`."""
        target = self._target(resource, namespace_of(obj), name_of(obj), subresource)
        return _object(await self._do("update", target, body=obj))

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
        """As in `kube.client.Client`."""
        target = self._target(resource, namespace, name, subresource)
        kind, body = (kind, patch) if isinstance(patch, dict) else ("json", [*patch])
        query = self._applying if kind == "apply" else None
        return _object(await self._do("patch", target, query, body=body, content_type=PATCH_CONTENT_TYPES[kind]))

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, options: Obj | None = None
    ) -> Obj:
        """As in `kube.client.Client`."""
        return _object(await self._do("delete", self._target(resource, namespace, name), body=options))

    def _target(self, resource: Resource, namespace: str | None, name: str = "", subresource: str = "") -> Target:
        kind = self._registry.served(resource)
        if kind is None:
            raise no_such_path()
        return Target(kind, (namespace or "") if kind.resource.namespaced else "", name, subresource)

    async def _do(
        self,
        verb: str,
        target: Target,
        query: dict[str, str] | None = None,
        body: Body | None = None,
        content_type: str = "",
    ) -> Response:
        response = await self._handler(
            Request(
                self._user,
                verb,
                target,
                query=query or NO_QUERY,
                headers=self._headers,
                handed=body,
                content_type=content_type,
            )
        )
        if isinstance(response, Raw | Streamed):
            return await _from_elsewhere(response, watching=verb == "watch")
        return response


def _object(response: Response) -> Obj:
    if isinstance(response, Stored):
        return response.entry.shared()
    if isinstance(response, Computed):
        return response.obj
    raise InternalError(f"no object came back but {type(response).__name__}")


async def _from_elsewhere(response: Raw | Streamed, *, watching: bool) -> Response:
    """What another server answered, as an object, or the stream of a watch. Raises what it failed with."""
    if isinstance(response, Raw):
        body = response.body
    elif watching and response.code < _FAILED:
        return response
    else:
        try:
            body = b"".join([chunk async for chunk in response.chunks])
        except BrokenOff as error:
            raise ServiceUnavailable(f"the answer broke off: {error}") from error
        finally:
            await response.close()
    if response.code >= _FAILED:
        raise error_of(response.code, body)
    try:
        obj: Obj = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InternalError(f"the server that has the resource answered no JSON: {error}") from error
    return Computed(obj)


async def _events(watching: Watching) -> AsyncIterator[WatchEvent]:
    while True:
        for event in await watching.stream.next():
            yield WatchEvent(event.type, event.entry.shared() if event.entry is not None else _bookmark(event))


def _bookmark(event: Event) -> Obj:
    return {"metadata": {"resourceVersion": str(event.revision)}}
