"""An archive from its beginning to the purge: data first, then manifests, and nothing is deleted that is not kept.

Neighbours: `data` (volumes), `archivist` (manifests), `landing` (when), `controller` (calls this for a project that is
archived, again and again until there is nothing more to do).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition, write_status
from skerry.platform.projects.lifecycle.archiving.archivist import Archivist, TooLarge
from skerry.platform.projects.lifecycle.archiving.data import DataKeeper, condition
from skerry.platform.projects.lifecycle.archiving.packing import archive_of
from skerry.platform.projects.types import PROJECTS

_SOON = 10.0
"""Seconds: pods of ours wake the project when they change, claims and rooms do not."""
_NAMED = 100


class Keeper:
    """Of all projects."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock, self._recorder = context.client, context.clock, context.recorder
        self._archivist, self._data = Archivist(context), DataKeeper(context)

    async def go_on(self, project: Obj, namespaces: Sequence[str], purges: datetime | None) -> float | None:
        """Keep the next thing; in the end, delete the project. `purges`: when. Returns seconds until it must be looked
        at again. Raises StatusError, OSError."""
        if archive_of(project) is None:
            return await self._keep(project, namespaces)
        if purges is None or self._clock.now() < purges:
            return None
        lacks = await self._data.lacks(project, namespaces)
        if not lacks:
            await self._archivist.purge(project)
            return None
        text = f"it is not deleted, but archived once more: {', '.join(lacks)} came after it was archived"
        self._recorder.event(project, "Warning", "NotArchived", text)
        await write_status(self._client, self._clock, PROJECTS, project, (), archive=None)
        return None

    async def drop(self, project: Obj) -> None:
        """It lives on: what was kept is out of date. Raises StatusError."""
        await self._data.drop(project)
        await self._archivist.drop(project)

    async def leave(self, name: str) -> None:
        """The project is gone; what is whole stays. Raises StatusError."""
        await self._data.leave(name)

    async def _keep(self, project: Obj, namespaces: Sequence[str]) -> float | None:
        if condition_of(project, "Kept") is None:  # says that there may be something to drop
            begun = Condition("Kept", False, "Archiving", "it begins")
            await write_status(self._client, self._clock, PROJECTS, project, (begun,))
            return None
        kept = await self._data.keep(project, namespaces)
        said = condition(kept)
        if not said.is_true:
            await self._say(project, said)
            return _SOON
        try:
            manifests = await self._archivist.keep(project, namespaces)
        except TooLarge as error:
            await self._say(project, Condition("Kept", False, "NotArchived", str(error)))
            return None
        archive = {**manifests, "volumes": list(kept.left)[:_NAMED], "data": list(kept.entries)[:_NAMED]}
        self._recorder.event(project, "Normal", said.reason, said.message)
        await write_status(self._client, self._clock, PROJECTS, project, (said,), archive=archive)
        return None

    async def _say(self, project: Obj, said: Condition) -> None:
        before = condition_of(project, "Kept") or {}
        if said.reason == "NotArchived" and before.get("message") != said.message:
            self._recorder.event(project, "Warning", said.reason, said.message)
        await write_status(self._client, self._clock, PROJECTS, project, (said,))


def has_begun(project: Obj) -> bool:
    """Whether there may be something of an archive."""
    return condition_of(project, "Kept") is not None or bool((project.get("status") or {}).get("archive"))


def without_kept(project: Obj) -> Obj:
    """The project as if nothing had been kept of it."""
    status = project.get("status") or {}
    left = [one for one in status.get("conditions") or () if one["type"] != "Kept"]
    return {**project, "status": {**status, "conditions": left}}
