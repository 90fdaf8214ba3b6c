"""Keeps what a project was, and deletes it in the end.

Reads as the project's programs do (the group that its editors' role is bound to), so that the platform needs no right
to read tenants' Secrets of its own. Neighbours: `landing` says when, `manifests` what, `packing` how.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress

from skerry.kube.clock import rfc3339
from skerry.kube.errors import Conflict, Forbidden, MethodNotAllowed, NotFound
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource, name_of, uid_of
from skerry.kube.resources import SECRETS
from skerry.kube.served import served_in_namespaces
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import Context
from skerry.platform.projects.lifecycle.archiving.manifests import is_kept, is_kept_kind, manifest
from skerry.platform.projects.lifecycle.archiving.packing import (
    ARCHIVES,
    LARGEST,
    packed,
    part_name,
    part_secret,
)
from skerry.platform.projects.types import PROJECTS

_CHUNK, _NAMED = 200, 100


class TooLarge(Exception):
    """What a project has is more than an archive can be; the text is for people."""


class Archivist:
    """Of all projects."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock = context.client, context.clock

    async def keep(self, project: Obj, namespaces: Sequence[str]) -> Obj:
        """Writes the manifests, returns what `status.archive` says of them. Raises StatusError, OSError, TooLarge."""
        reader = reader_of(self._client, project)
        served = await served_in_namespaces(reader)
        found, left_out = [manifest(PROJECTS, project)], [f"{group} (silent)" for group in served.silent]
        for resource in filter(is_kept_kind, served.resources):
            try:
                found += [one async for one in _kept(reader, resource, namespaces)]
            except (Forbidden, NotFound, MethodNotAllowed):
                left_out.append(resource.group_resource)
        parts = packed(found)
        if sum(map(len, parts)) > LARGEST:
            raise TooLarge(f"its {len(found)} objects are more than the {LARGEST >> 20} MiB that an archive may have")
        for number, part in enumerate(parts):
            await apply(self._client, SECRETS, part_secret(project, number, part))
        await self._drop_from(project, len(parts))
        return {
            "time": rfc3339(self._clock.now()),
            "objects": len(found),
            "parts": len(parts),
            "leftOut": sorted(left_out)[:_NAMED],
        }

    async def drop(self, project: Obj) -> None:
        """It lives on: what was kept is out of date. Raises StatusError."""
        await self._drop_from(project, 0)

    async def _drop_from(self, project: Obj, number: int) -> None:
        """Parts of an archive that was longer, or is not wanted any more; one that was cut short has them too."""
        with suppress(NotFound):
            while True:
                await self._client.delete(SECRETS, part_name(project, number), ARCHIVES)
                number += 1

    async def purge(self, project: Obj) -> None:
        """Delete it, unless somebody has changed anything meanwhile. Raises StatusError."""
        seen = {"uid": uid_of(project), "resourceVersion": project["metadata"]["resourceVersion"]}
        try:
            await self._client.delete(PROJECTS, name_of(project), options={"preconditions": seen})
        except (Conflict, NotFound):
            return


def reader_of(client: HttpClient, project: Obj) -> HttpClient:
    """Who may read what the project's programs may."""
    group = f"skerry:project:{name_of(project)}:editor"
    return client.acting_as("skerry:archiver", [group, "system:authenticated"])


async def _kept(reader: HttpClient, resource: Resource, namespaces: Iterable[str]) -> AsyncIterator[Obj]:
    for namespace in namespaces:
        token = ""
        while True:
            part = await reader.list(resource, namespace, limit=_CHUNK, next_token=token)
            for one in part.items:
                if is_kept(resource, one):
                    yield manifest(resource, one)
            token = part.next_token
            if not token:
                break
