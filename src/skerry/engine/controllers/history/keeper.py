"""Keeps the ControllerRevisions of StatefulSets or DaemonSets: takes over, creates, renumbers, forgets.

Source: Kubernetes `pkg/controller/history/controller_history.go`. Decisions are in `revisions`. Revisions are not
watched: as in Kubernetes, only their owner or its pods make a controller look at them.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.history.revisions import (
    build_revision,
    by_number,
    newest_equal,
    next_number,
    number_of,
    patch_of,
)
from skerry.engine.controllers.ownership import Claimer, index_controllers
from skerry.engine.controllers.writing import Written
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, Resource, key_of, name_of, namespace_of, uid_of
from skerry.kube.records import record
from skerry.kube.resources import CONTROLLER_REVISIONS


@record
class History:
    """All revisions, oldest first; the one of today's template; how many names had been taken so far."""

    revisions: list[Obj]
    update: Obj
    collisions: int

    def named(self, name: str) -> Obj | None:
        """The revision of that name."""
        return next((one for one in self.revisions if name_of(one) == name), None)


class RevisionKeeper:
    """For all owners of one kind. `hash_label` is where the kind writes the hash of a revision."""

    def __init__(self, context: Context, owners: Resource, hash_label: str) -> None:
        self._client = context.client
        self._owners = owners
        self._hash_label = hash_label
        informer = context.informers.of(CONTROLLER_REVISIONS)
        index_controllers(informer)
        self._claimer = Claimer(context.client, owners, informer)
        self._written = Written(informer)

    def seen(self, key: str) -> bool:
        """Whether the cache shows all that was written for the owner of `key`."""
        return self._written.seen(key)

    def forget(self, key: str) -> None:
        """The owner of `key` is gone."""
        self._written.forget(key)

    async def history(self, owner: Obj) -> History:
        """The owner's history, today's template in it: created or renumbered where needed."""
        revisions = by_number(await self._claimer.claimed(owner))
        collisions = int((owner.get("status") or {}).get("collisionCount") or 0)
        found = newest_equal(revisions, patch_of(owner))
        if found is None:
            return await self._create(owner, revisions, collisions)
        if found is revisions[-1]:
            return History(revisions, found, collisions)
        renumbered = await self._renumber(owner, found, next_number(revisions))
        others = [one for one in revisions if one is not found]
        return History([*others, renumbered], renumbered, collisions)

    async def delete(self, owner: Obj, revisions: Iterable[Obj]) -> None:
        """Forget revisions."""
        for one in revisions:
            try:
                options = {"preconditions": {"uid": uid_of(one)}}
                deleted = await self._client.delete(CONTROLLER_REVISIONS, name_of(one), namespace_of(one), options)
            except NotFound:
                continue
            self._written.note(key_of(owner), deleted)

    async def _create(self, owner: Obj, revisions: list[Obj], collisions: int) -> History:
        """Create it; a name taken by another template is one collision more and gives another name."""
        while True:
            wanted = build_revision(owner, self._owners, self._hash_label, next_number(revisions), collisions)
            try:
                made = await self._client.create(CONTROLLER_REVISIONS, wanted, namespace_of(owner))
            except AlreadyExists:
                found = await self._client.get(CONTROLLER_REVISIONS, name_of(wanted), namespace_of(wanted))
                if found.get("data") == wanted["data"]:
                    return History(by_number([*revisions, found]), found, collisions)
                collisions += 1
                continue
            self._written.note(key_of(owner), made)
            return History([*revisions, made], made, collisions)

    async def _renumber(self, owner: Obj, revision: Obj, number: int) -> Obj:
        if number_of(revision) == number:
            return revision
        changed = await self._client.update(CONTROLLER_REVISIONS, {**revision, "revision": number})
        self._written.note(key_of(owner), changed)
        return changed
