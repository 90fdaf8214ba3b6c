"""Keeps the data of a project's volumes: one volume at a time, each in a claim of its own in `skerry-archives`.

Everything that was begun is in the cluster, so whoever looks next goes on from there; pods go on after a crash of ours
and what they say at their end counts. A claim has data when its annotation says so, which is written last.
Neighbours: `choosing` says whose data, `copying` makes the objects, `archivist` keeps the manifests afterwards.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta

import orjson

from skerry.kube.client import Selection
from skerry.kube.clock import parse_time
from skerry.kube.errors import AlreadyExists, Forbidden, NotFound
from skerry.kube.objects import Obj, Resource, annotations_of, is_deleting, name_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import (
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
)
from skerry.kube.volumes import class_of
from skerry.platform.base.capability import Context
from skerry.platform.base.status import Condition
from skerry.platform.projects.lifecycle.archiving import copying
from skerry.platform.projects.lifecycle.archiving.archivist import reader_of
from skerry.platform.projects.lifecycle.archiving.choosing import Choice, choose
from skerry.platform.projects.lifecycle.archiving.copying import KEPT, LIFE_LABEL, Copy, Place, Said, said_by
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVE_LABEL, ARCHIVES, life_of
from skerry.platform.projects.types import ProjectSpec

_AGAIN = timedelta(minutes=5)
"""From a failure until the next attempt."""
_AT_ONCE = 4
"""Pods of all archives."""
_CLAIMS = PERSISTENT_VOLUME_CLAIMS


@record
class Kept:
    """How far it is: data that is kept (as `copying.entry` has it), claims without and why, what is being done, and
    what stands in the way."""

    entries: tuple[Obj, ...] = ()
    left: tuple[str, ...] = ()
    working: str = ""
    stuck: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Nothing more to keep."""
        return not self.working and not self.stuck


class Waiting(Exception):
    """For a pod; the text is for people."""


class Stuck(Exception):
    """It cannot be kept as things are; the text is for people."""


class DataKeeper:
    """Of all projects."""

    def __init__(self, context: Context) -> None:
        self._client, self._clock = context.client, context.clock

    async def keep(self, project: Obj, namespaces: Sequence[str]) -> Kept:
        """Take the next step of what there is to keep. Nothing may run in the project. Raises StatusError, OSError."""
        entries, left, stuck, working = [], [], [], ""
        place = await self._place()
        async for copy, choice in self._claims(project, namespaces):
            if choice.what == "left":
                left.append(f"{copy.what} ({_size(copy.claim)}): {choice.why}")
                continue
            try:
                if choice.what == "stuck":
                    raise Stuck(choice.why)
                entries.append(await self._entry(copy, place, may_begin=not working))
            except Waiting as waiting:
                working = working or f"{copy.what}: {waiting}"
            except Stuck as why:
                stuck.append(f"{copy.what}: {why}")
        return Kept(tuple(entries), tuple(left), working, tuple(stuck))

    async def lacks(self, project: Obj, namespaces: Sequence[str]) -> Sequence[str]:
        """Claims whose data the purge would delete and no archive has. Raises StatusError, OSError."""
        found = []
        async for copy, choice in self._claims(project, namespaces):
            if choice.what != "left" and not await self._kept(copy):
                found.append(copy.what)
        return found

    async def drop(self, project: Obj) -> None:
        """It lives on: what was kept is out of date. Raises StatusError."""
        await self._delete(f"{LIFE_LABEL}={life_of(project)}", also_kept=True)

    async def leave(self, name: str) -> None:
        """The project is gone: what is not whole goes, what is whole stays. Raises StatusError."""
        await self._delete(f"{ARCHIVE_LABEL}={name}", also_kept=False)

    # ---- what there is

    async def _place(self) -> Place:
        said = annotations_of(await self._client.get(NAMESPACES, ARCHIVES))
        return Place(said.get(copying.IMAGE) or copying.OWN_IMAGE, said.get(copying.CLASS, ""))

    async def _claims(self, project: Obj, namespaces: Sequence[str]) -> AsyncIterator[tuple[Copy, Choice]]:
        reader = reader_of(self._client, project)
        given_up = ProjectSpec.of(project["spec"]).overrides.archive_without or ()
        for namespace in namespaces:
            for claim in (await reader.list(_CLAIMS, namespace)).items:
                volume = await self._find(PERSISTENT_VOLUMES, claim["spec"].get("volumeName") or "")
                storage_class = await self._find(STORAGE_CLASSES, class_of(claim))
                copy = Copy(project, claim, volume or {})
                yield copy, choose(claim, volume, storage_class, given_up)

    async def _find(self, resource: Resource, name: str, namespace: str | None = None) -> Obj | None:
        try:
            return await self._client.get(resource, name, namespace) if name else None
        except NotFound:
            return None

    async def _kept(self, copy: Copy) -> Obj | None:
        """What the archive has of it, None when it is not whole."""
        claim = await self._find(_CLAIMS, copy.name, ARCHIVES)
        said = annotations_of(claim or {}).get(KEPT)
        if claim is None or not said or is_deleting(claim):
            return None
        found: Obj = orjson.loads(said)
        return found if found["uid"] == uid_of(copy.claim) else None

    # ---- one volume

    async def _entry(self, copy: Copy, place: Place, *, may_begin: bool) -> Obj:
        """What is kept of it. Raises Waiting, Stuck while it is not."""
        kept = await self._kept(copy)
        if kept is not None:
            if await self._find(PERSISTENT_VOLUMES, copy.source):
                await self._put_away(copy)
            return kept
        if not may_begin:
            raise Waiting("its turn comes")
        measured = await self._outcome(copy, copying.measuring_pod(copy, place), "is being measured")
        await self._make_room(copy, copying.room_for(measured), place)
        size = copying.size_text(int(measured["bytes"]))
        done = await self._outcome(copy, copying.copying_pod(copy, place), f"{size} are being copied")
        kept = copying.entry(copy, done)
        note = {"metadata": {"annotations": {KEPT: orjson.dumps(kept).decode()}}}
        await self._client.patch(_CLAIMS, copy.name, note, ARCHIVES)
        await self._put_away(copy)
        return kept

    async def _outcome(self, copy: Copy, wanted: Obj, doing: str) -> Obj:
        """What a pod said at its end; it is made when it is not there. Raises Waiting, Stuck."""
        pod = await self._find(PODS, name_of(wanted), ARCHIVES)
        if pod is None:
            await self._wait_for_others()
            await self._make(PERSISTENT_VOLUMES, copying.source_volume(copy))
            await self._make(_CLAIMS, copying.source_claim(copy))
            await self._make(PODS, wanted)
            raise Waiting(doing)
        said = said_by(pod)
        if said.phase == "Pending" and not self._is_new(pod):
            where = f"{ARCHIVES}/{name_of(pod)}"
            raise Stuck(f"pod {where} does not start ({said.message or said.phase}): its events say why")
        if is_deleting(pod) or said.phase not in ("Succeeded", "Failed"):
            raise Waiting(f"{doing} ({said.phase}{': ' if said.message else ''}{said.message})")
        told = copying.told(pod) if said.phase == "Succeeded" else None
        if told is None:
            await self._try_again(copy, said)
            raise Stuck(f"could not be archived: {said.message or said.phase}")
        found: Obj = told
        return found

    async def _wait_for_others(self) -> None:
        """Many projects may end on one day. A pod that cannot start holds up nobody for long. Raises Waiting."""
        pods = (await self._client.list(PODS, ARCHIVES)).items
        phases = [(said_by(pod).phase, self._is_new(pod)) for pod in pods]
        if sum(phase == "Running" or (phase == "Pending" and is_new) for phase, is_new in phases) >= _AT_ONCE:
            raise Waiting("others are archived first")

    def _is_new(self, pod: Obj) -> bool:
        return parse_time(pod["metadata"]["creationTimestamp"]) > self._clock.now() - _AGAIN

    async def _try_again(self, copy: Copy, said: Said) -> None:
        """From the beginning, some minutes after it failed: room may have been made, or a bound been raised."""
        if said.ended and self._clock.now() - parse_time(said.ended) >= _AGAIN:
            await self._put_away(copy)
            await self._gone(_CLAIMS, copy.name, ARCHIVES)

    async def _make_room(self, copy: Copy, room: int, place: Place) -> None:
        try:
            await self._make(_CLAIMS, copying.data_claim(copy, room, place))
        except Forbidden as error:
            why = f"its archive may take {copying.size_text(room)}, for which {ARCHIVES} has no room: {error.message}"
            raise Stuck(why) from None

    async def _make(self, resource: Resource, obj: Obj) -> None:
        namespace = ARCHIVES if resource.namespaced else None
        try:
            await self._client.create(resource, obj, namespace)
        except AlreadyExists:
            if is_deleting(await self._find(resource, name_of(obj), namespace) or {}):
                raise Waiting("what an earlier attempt has left goes first") from None

    async def _put_away(self, copy: Copy) -> None:
        """What the volume was read by."""
        for suffix in ("measure", "copy"):
            await self._gone(PODS, f"{copy.name}-{suffix}", ARCHIVES)
        await self._gone(_CLAIMS, copy.source, ARCHIVES)
        await self._gone(PERSISTENT_VOLUMES, copy.source, None)

    async def _delete(self, selector: str, *, also_kept: bool) -> None:
        selection = Selection(selector)
        for pod in (await self._client.list(PODS, ARCHIVES, selection)).items:
            await self._gone(PODS, name_of(pod), ARCHIVES)
        for claim in (await self._client.list(_CLAIMS, ARCHIVES, selection)).items:
            if also_kept or KEPT not in annotations_of(claim):
                await self._gone(_CLAIMS, name_of(claim), ARCHIVES)
        for volume in (await self._client.list(PERSISTENT_VOLUMES, None, selection)).items:
            await self._gone(PERSISTENT_VOLUMES, name_of(volume), None)

    async def _gone(self, resource: Resource, name: str, namespace: str | None) -> None:
        with suppress(NotFound):
            await self._client.delete(resource, name, namespace)


def condition(kept: Kept) -> Condition:
    """What the project says of it."""
    if kept.stuck:
        said = "; ".join((*kept.stuck, *((kept.working,) if kept.working else ())))
        return Condition("Kept", False, "NotArchived", f"nothing is deleted: {said}")
    if kept.working:
        return Condition("Kept", False, "Archiving", kept.working)
    size = copying.size_text(sum(one["bytes"] for one in kept.entries))
    return Condition("Kept", True, "Archived", f"the data of {len(kept.entries)} volumes, {size}, is in {ARCHIVES}")


def _size(claim: Obj) -> str:
    return str(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "?"))
