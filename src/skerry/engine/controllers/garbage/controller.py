"""Garbage collection: objects whose owners are gone are deleted; foreground and orphaning deletions are finished.

The graph is not kept apart: every resource's metadata cache has an index by owner uid, so "who depends on this" is a
few look-ups, and "does the owner exist" one. What the caches do not show is asked of the API before anything is
deleted, and deletions carry the uid and revision that the decision was made on. Decisions are in `decide`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.garbage.decide import (
    FOREGROUND,
    ORPHAN,
    Delete,
    DropReferences,
    Standing,
    awaits_dependents,
    blocks,
    decide,
    finalizers_of,
    needs_a_look,
    orphans_dependents,
    owner_references,
    same,
    uid_index,
    without_references,
)
from skerry.engine.controllers.served import CRDS, ServedResources
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, Resource, is_deleting, name_of, namespace_of, uid_of

log = logging.getLogger(__name__)

_INDEX = "owners"
_REFRESH = "refresh"
_REFRESH_DELAY = 0.2  # seconds; a new custom resource is served a moment after its definition is stored


class GarbageCollector(Controller):
    """Keys are "resource namespace name uid". Make it after all other controllers, so that it shares their caches."""

    name = "garbage-collector"
    workers = 8

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._informers = context.informers
        self._recorder = context.recorder.named("garbage-collector-controller")
        self._served = ServedResources(context, self._connect)
        self._served.refresh()

    async def reconcile(self, key: str) -> float | None:
        """Deal with one object; the refresh key follows what is served."""
        if key == _REFRESH:
            for unserved in self._served.refresh():
                await self._informers.stop(unserved)
            return None
        resource_name, namespace, name, uid = key.split(" ")
        informer = self._served.informers.get(resource_name)
        if informer is None or not same(informer.get(name, namespace), uid):
            return None
        obj = await self._live(informer.resource, name, namespace)
        if obj is None or not same(obj, uid):
            return None
        if orphans_dependents(obj):
            await self._orphan_dependents(informer.resource, obj)
        elif awaits_dependents(obj):
            await self._process_foreground(informer.resource, obj)
        elif not is_deleting(obj):
            await self._collect(informer.resource, obj)
        return None

    async def _collect(self, resource: Resource, obj: Obj) -> None:
        standings = [(one, await self._standing(resource, obj, one)) for one in owner_references(obj)]
        dependents = [dependent for _, dependent in self._dependents(uid_of(obj))]
        action = decide(obj, standings, dependents)
        if isinstance(action, DropReferences):
            await self._set_references(resource, obj, without_references(obj, action.uids))
        elif isinstance(action, Delete):
            await self._delete(resource, obj, action)

    async def _delete(self, resource: Resource, obj: Obj, action: Delete) -> None:
        if action.unblock:
            unblocked = [{**one, "blockOwnerDeletion": False} for one in owner_references(obj)]
            obj = await self._set_references(resource, obj, unblocked)
        seen = {"uid": uid_of(obj), "resourceVersion": obj["metadata"]["resourceVersion"]}
        options = {"preconditions": seen, "propagationPolicy": action.policy}
        log.debug("deleting %s %s/%s: no owner left", resource.group_resource, namespace_of(obj), name_of(obj))
        try:
            await self._client.delete(resource, name_of(obj), namespace_of(obj) or None, options)
        except NotFound:
            return

    async def _process_foreground(self, resource: Resource, owner: Obj) -> None:
        """The owner goes once nothing that blocks it is left; until then its dependents are on their way out."""
        dependents = list(self._dependents(uid_of(owner)))
        if any(blocks(dependent, uid_of(owner)) for _, dependent in dependents):
            for informer, dependent in dependents:
                if not is_deleting(dependent):
                    self._queue(informer, dependent)
            return
        await self._remove_finalizer(resource, owner, FOREGROUND)

    async def _orphan_dependents(self, resource: Resource, owner: Obj) -> None:
        uids = frozenset({uid_of(owner)})
        freed = (
            self._set_references(informer.resource, one, without_references(one, uids))
            for informer, one in self._dependents(uid_of(owner))
        )
        for result in await asyncio.gather(*freed, return_exceptions=True):
            if isinstance(result, BaseException) and not isinstance(result, NotFound):
                raise result
        await self._remove_finalizer(resource, owner, ORPHAN)

    async def _standing(self, resource: Resource, obj: Obj, reference: Obj) -> Standing:
        """How the owner stands; one that can never be found out keeps the object."""
        owners = self._served.by_kind(reference["apiVersion"], reference["kind"])
        if owners is None:
            return "solid"  # of a kind not served here: nobody can say that it is gone
        if owners.namespaced and not resource.namespaced:
            self._complain(obj, reference, "a cluster-scoped object cannot be owned by a namespaced one")
            return "solid"
        namespace = namespace_of(obj) if owners.namespaced else ""
        owner: Obj | None = self._served.informers[owners.group_resource].get(reference["name"], namespace)
        if owner is None or not same(owner, reference["uid"]):
            owner = await self._live(owners, reference["name"], namespace)
        if owner is None or not same(owner, reference["uid"]):
            self._complain_if_elsewhere(owners, obj, reference)
            return "absent"
        return "waiting" if awaits_dependents(owner) else "solid"

    def _complain_if_elsewhere(self, owners: Resource, obj: Obj, reference: Obj) -> None:
        cached = self._served.informers[owners.group_resource].list()
        if any(uid_of(one) == reference["uid"] and name_of(one) == reference["name"] for one in cached):
            self._complain(obj, reference, f'does not exist in namespace "{namespace_of(obj)}"')

    def _complain(self, obj: Obj, reference: Obj, why: str) -> None:
        about = f"{reference['apiVersion']}/{reference['kind']}, namespace: {namespace_of(obj)}"
        text = f"ownerRef [{about}, name: {reference['name']}, uid: {reference['uid']}] {why}"
        self._recorder.event(obj, "Warning", "OwnerRefInvalidNamespace", text)

    async def _live(self, resource: Resource, name: str, namespace: str) -> Obj | None:
        try:
            return await self._client.get(resource, name, namespace or None)
        except NotFound:
            return None

    async def _set_references(self, resource: Resource, obj: Obj, references: list[Obj]) -> Obj:
        return await self._patch_metadata(resource, obj, {"ownerReferences": references})

    async def _remove_finalizer(self, resource: Resource, obj: Obj, finalizer: str) -> None:
        left = [one for one in finalizers_of(obj) if one != finalizer]
        try:
            await self._patch_metadata(resource, obj, {"finalizers": left})
        except NotFound:
            return

    async def _patch_metadata(self, resource: Resource, obj: Obj, changes: Obj) -> Obj:
        metadata = {"uid": uid_of(obj), "resourceVersion": obj["metadata"]["resourceVersion"], **changes}
        return await self._client.patch(resource, name_of(obj), {"metadata": metadata}, namespace_of(obj) or None)

    def _dependents(self, uid: str) -> Iterator[tuple[Informer, Obj]]:
        for informer in self._served.informers.values():
            for obj in informer.by_index(_INDEX, uid):
                yield informer, obj

    def _connect(self, informer: Informer) -> None:
        informer.add_index(_INDEX, uid_index)
        informer.add_handler(lambda delta: self._changed(informer, delta))
        if informer.resource.group_resource == CRDS:
            informer.add_handler(lambda _: self.queue.add_after(_REFRESH, _REFRESH_DELAY))

    def _changed(self, informer: Informer, delta: Delta) -> None:
        old, new = delta.old, delta.new
        if new is None:
            self._queue_dependents(uid_of(delta.object))
            self._queue_waiting_owners(delta.object)
        elif needs_a_look(old, new):
            if is_deleting(new) or not self._has_all_owners(new):
                self._queue(informer, new)
            if awaits_dependents(new):
                self._queue_dependents(uid_of(new))
            if old is not None and owner_references(old) != owner_references(new):
                self._queue_waiting_owners(old)

    def _queue_dependents(self, uid: str) -> None:
        for informer, dependent in self._dependents(uid):
            self._queue(informer, dependent)

    def _queue_waiting_owners(self, obj: Obj) -> None:
        for informer, owner in self._cached_owners(obj):
            if awaits_dependents(owner):
                self._queue(informer, owner)

    def _has_all_owners(self, obj: Obj) -> bool:
        found = {uid_of(owner) for _, owner in self._cached_owners(obj) if not awaits_dependents(owner)}
        return found >= set(uid_index(obj))

    def _cached_owners(self, obj: Obj) -> Iterator[tuple[Informer, Obj]]:
        for reference in owner_references(obj):
            resource = self._served.by_kind(reference["apiVersion"], reference["kind"])
            informer = self._served.informers.get(resource.group_resource) if resource is not None else None
            if informer is None:
                continue
            owner = informer.get(reference["name"], namespace_of(obj) if informer.resource.namespaced else "")
            if owner is not None and same(owner, reference["uid"]):
                yield informer, owner

    def _queue(self, informer: Informer, obj: Obj) -> None:
        resource = informer.resource.group_resource
        self.queue.add(f"{resource} {namespace_of(obj)} {name_of(obj)} {uid_of(obj)}")
