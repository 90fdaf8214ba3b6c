"""What create, update, patch and the subresources share: admission, validation, the conditional write, the retry.

A change is described by a pure function from the stored object to the wanted one (`Change`); this file does the rest
and repeats it when somebody else was faster. Invariants: what is stored has passed defaulting, admission and
validation, in this order; an update that changes nothing writes nothing; an object that waits for nothing but
its last finalizer goes away with the update that removes it. Source: Kubernetes' `registry/generic/registry/store.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import orjson

from skerry.engine.api.admission.chain import Attributes
from skerry.engine.api.backend import Backend
from skerry.engine.api.converting import served, stored
from skerry.engine.api.metadata import carry_over, encoder, same
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Stored
from skerry.engine.schema import validation
from skerry.engine.schema.contract import Kind
from skerry.engine.store.contract import Entry, KeyExists, KeyMissing, RevisionConflict
from skerry.kube.errors import Cause, conflict, invalid, not_found
from skerry.kube.objects import Obj, is_deleting

ATTEMPTS = 100
"""How often a write without resourceVersion is repeated; every repetition means somebody else's write succeeded."""

_AT_ONCE: AbstractAsyncContextManager[None] = nullcontext()
Prepare: TypeAlias = Callable[[Obj, Obj], None]


@dataclass(frozen=True, slots=True)
class Change:
    """An update of one object. `wanted` gives the new state, private, from what is stored; `prepare` carries over what
    this way of writing may not touch (new, old)."""

    wanted: Callable[[Entry], Obj]
    prepare: Prepare
    dry_run: bool = False
    trusted: bool = False
    """Made by the server itself (a binding): the rules for what users may change do not apply."""


async def create(backend: Backend, request: Request, obj: Obj, *, dry_run: bool) -> Entry:
    """Admit, validate and store a new object, named already. Raises what refuses it, KeyExists."""
    target = Target(request.what.kind, request.what.namespace, obj["metadata"]["name"])
    async with turn(backend, target):
        backend.admission.admit(Attributes("CREATE", target, request.who, obj, None, dry_run))
        kind = target.kind
        refuse(kind, obj, validation.validate(kind, obj))
        if dry_run:
            if backend.store.get(target.key) is not None:
                raise KeyExists(target.name)
            return Entry(target.key, 0, orjson.dumps(obj))
        entry = await backend.store.create(target.key, encoder(await stored(kind, obj)))
        return await served(kind, entry)


async def change(backend: Backend, request: Request, what: Change) -> Stored | Computed:
    """Apply a change to the object named. Raises NotFound, Conflict, Invalid, and what admission refuses with."""
    target = request.what
    for _ in range(ATTEMPTS):
        async with turn(backend, target):
            entry = backend.store.get(target.key)
            if entry is None:
                raise not_found(target.group_resource, target.name)
            try:
                return await _change_once(backend, request, what, entry)
            except RevisionConflict:
                await backend.store.settled(target.key)
            except KeyMissing:
                raise not_found(target.group_resource, target.name) from None
    raise conflict(target.group_resource, target.name)


async def _change_once(backend: Backend, request: Request, what: Change, entry: Entry) -> Stored | Computed:
    target, kind = request.what, request.what.kind
    shown = await served(kind, entry)
    old, new = shown.shared(), what.wanted(shown)
    check_version(target, new, old)
    _settle(kind, new, old, what.prepare)
    backend.admission.admit(Attributes("UPDATE", target, request.who, new, old, what.dry_run))
    if not what.trusted:
        refuse(kind, new, validation.validate_update(kind, new, old))
    if same(new, old) and shown is entry:
        return Stored(kind, entry)
    if what.dry_run:
        return Computed(new, kind=kind)
    kept = await stored(kind, new)
    if shown is not entry and same(kept, entry.shared()):
        return Stored(kind, shown)
    write = backend.store.delete if goes_with(kind, new, old) else backend.store.update
    written = await write(target.key, encoder(kept), entry.revision)
    return Stored(kind, await served(kind, written))


def _settle(kind: Kind, new: Obj, old: Obj, prepare: Prepare) -> None:
    carry_over(new["metadata"], old["metadata"])
    kind.strategy.default(new)
    prepare(new, old)


def check_version(target: Target, new: Obj, old: Obj) -> None:
    """Raise Conflict when the update was made for another object of this name, or for an older state of it."""
    metadata, now = new["metadata"], old["metadata"]
    if metadata.get("uid") and metadata["uid"] != now["uid"]:
        why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {now['uid']}"
        raise conflict(target.group_resource, target.name, why)
    given = metadata.get("resourceVersion")
    if given and given != "0" and given != now["resourceVersion"]:
        raise conflict(target.group_resource, target.name)


def refuse(kind: Kind, obj: Obj, causes: list[Cause]) -> None:
    """Raise Invalid when there are causes."""
    if causes:
        metadata = obj["metadata"]
        name = str(metadata.get("name") or metadata.get("generateName") or "")
        raise invalid(kind.resource.group, kind.resource.kind, name, causes)


def goes_with(kind: Kind, new: Obj, old: Obj) -> bool:
    """Whether this update is the last thing a deleted object waited for (`ShouldDeleteDuringUpdate`)."""
    if not is_deleting(new) or new["metadata"].get("finalizers"):
        return False
    if kind.resource.group_resource == "namespaces" and (new.get("spec") or {}).get("finalizers"):
        return False
    return not old["metadata"].get("deletionGracePeriodSeconds")


def turn(backend: Backend, target: Target) -> AbstractAsyncContextManager[None]:
    """Wait for one's turn, for the resources whose admission hands out addresses from what is committed."""
    return backend.exclusive.get(target.group_resource) or _AT_ONCE
