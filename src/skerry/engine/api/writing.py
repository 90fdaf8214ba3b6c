"""What create, update, patch and the subresources share: admission, validation, the conditional write, the retry.

A change is described by a pure function from the stored object to the wanted one (`Change`); this file does the rest
and repeats it when somebody else was faster. Invariants: what is stored has passed defaulting, mutating
admission, the kind's strategy and rules, and validating admission, in this order; an update that changes nothing
writes nothing; an object that waits for nothing but its last finalizer goes away with the update that removes it.
Source: Kubernetes' `registry/generic/registry/store.go` and `endpoints/handlers`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import orjson

from skerry.engine.api.admission.attributes import NO_OPTIONS, Attributes
from skerry.engine.api.backend import Backend, find
from skerry.engine.api.converting import served, stored
from skerry.engine.api.metadata import begin, carry_over, encoder, generated_name, same
from skerry.engine.api.options import WriteOptions
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Stored
from skerry.engine.api.tracking import Track, keep_times, undo_malformed
from skerry.engine.schema import validation
from skerry.engine.schema.contract import Kind
from skerry.engine.store.contract import Entry, KeyExists, KeyMissing, RevisionConflict
from skerry.kube.clock import rfc3339
from skerry.kube.errors import Cause, already_exists, conflict, invalid, not_found
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.records import record

ATTEMPTS = 100
"""How often a write without resourceVersion is repeated; every repetition means somebody else's write succeeded."""

_NAME_ATTEMPTS = 8
T = TypeVar("T")
Prepare: TypeAlias = Callable[[Obj, Obj], None]
Checks: TypeAlias = Callable[[Obj, Obj], list[Cause]]
_States: TypeAlias = tuple[Entry, Entry]
"""An object as it is stored, and as the version asked for shows it."""


@record
class View:
    """The body of a subresource that stands for a part of the object: a Scale. `apply` puts a body into an object."""

    show: Callable[[Obj], Obj]
    apply: Callable[[Obj, Obj], Obj]


@record
class Change:
    """An update of one object. `wanted` gives the new state, private, from what is stored; `prepare` carries over what
    this way of writing may not touch (new, old)."""

    wanted: Callable[[Entry], Obj]
    prepare: Prepare
    options: WriteOptions = NO_OPTIONS
    track: Track | None = None
    """Keeps managedFields; None where who writes does not come to manage what it wrote, or `wanted` has seen to it."""
    trusted: bool = False
    """Made by the server itself (a binding, admitted as such): what users may change is not the question."""
    checks: Checks | None = None
    """The rules in place of the kind's, for a subresource that has its own (new, old)."""
    view: View | None = None
    """What admission sees of it, where that is not the object itself."""


async def create(backend: Backend, request: Request, obj: Obj, options: WriteOptions) -> Entry:
    """Admit, name, validate and store a new object, defaulted already. Raises what refuses it, AlreadyExists."""
    what = request.what
    target = Target(what.kind, what.namespace, obj["metadata"].get("name") or "")
    attributes = Attributes("CREATE", request, target, obj, None, options)
    try:
        entries = obj["metadata"].get("managedFields")
        if (pending := backend.admission.mutate(attributes)) is not None:
            await pending
            undo_malformed(obj, entries, request.warnings)
        return await _create_named(backend, attributes, obj)
    finally:
        attributes.finish()


async def _create_named(backend: Backend, attributes: Attributes, obj: Obj) -> Entry:
    """Store under the given name, or under generated ones until one is free."""
    what, metadata = attributes.target, obj["metadata"]
    base = "" if metadata.get("name") else metadata.get("generateName") or ""
    for _ in range(_NAME_ATTEMPTS if base else 1):
        if base:
            metadata["name"] = generated_name(base)
        attributes.target = Target(what.kind, what.namespace, metadata.get("name") or "")
        try:
            return await _create_once(backend, attributes, obj)
        except KeyExists:
            continue
    raise already_exists(what.group_resource, metadata["name"])


async def _create_once(backend: Backend, attributes: Attributes, obj: Obj) -> Entry:
    target = attributes.target
    kind = target.kind
    begin(obj["metadata"], rfc3339(backend.clock.now()))
    kind.strategy.prepare_create(obj)
    refuse(kind, obj, validation.validate(kind, obj))
    attributes.request.warnings.extend(kind.strategy.warnings(obj, None))
    if (pending := backend.admission.validate(attributes)) is not None:
        await pending
    if attributes.options.dry_run:
        if backend.store.get(target.key) is not None:
            raise KeyExists(target.name)
        return Entry(target.key, 0, orjson.dumps(obj))
    if kind.conversion is None:
        return await backend.store.create(target.key, encoder(obj), obj)
    kept = await stored(kind, obj)
    return await served(kind, await backend.store.create(target.key, encoder(kept), kept))


async def change(backend: Backend, request: Request, what: Change) -> Stored | Computed:
    """Apply a change to the object named. Raises NotFound, Conflict, Invalid, and what admission refuses with."""
    return await until_written(backend, request.what, lambda entry: _change_once(backend, request, what, entry))


async def until_written(backend: Backend, target: Target, attempt: Callable[[Entry], Awaitable[T]]) -> T:
    """Attempt a write on what is stored, again while somebody else is faster. Raises NotFound, Conflict."""
    for _ in range(ATTEMPTS):
        entry = find(backend, target)
        try:
            return await attempt(entry)
        except RevisionConflict:
            await backend.store.settled(target.key)
        except KeyMissing:
            raise not_found(target.group_resource, target.name) from None
    raise conflict(target.group_resource, target.name)


async def _change_once(backend: Backend, request: Request, what: Change, entry: Entry) -> Stored | Computed:
    target = request.what
    shown = await served(target.kind, entry)
    old, new = shown.shared(), what.wanted(shown)
    check_version(target, new, old)
    carry_over(new["metadata"], old["metadata"])
    if not what.trusted:  # what the server itself changes has its defaults, and may share what it leaves alone
        target.kind.strategy.default(new)
    if what.track is not None:
        what.track(new, old)  # before admission and the strategy: what they change is nobody's
    if what.trusted:
        what.prepare(new, old)
        return await _store(backend, target.kind, what, new, (entry, shown))
    attributes = Attributes("UPDATE", request, target, new, old, what.options)
    try:
        new = await _admitted(backend, attributes, what, new, old)
        return await _store(backend, target.kind, what, new, (entry, shown))
    finally:
        attributes.finish()


async def _admitted(backend: Backend, attributes: Attributes, what: Change, new: Obj, old: Obj) -> Obj:
    """The new state when both phases and the rules between them are through with it."""
    kind, view = attributes.target.kind, what.view
    if view is not None:
        attributes.new, attributes.old = view.show(new), view.show(old)
    entries = new["metadata"].get("managedFields")
    if (pending := backend.admission.mutate(attributes)) is not None:
        await pending
    if view is not None:
        new = view.apply(new, attributes.new or {})
    if pending is not None:
        carry_over(new["metadata"], old["metadata"])  # webhooks may send anything back
        undo_malformed(new, entries, attributes.request.warnings)
    what.prepare(new, old)
    refuse(kind, new, what.checks(new, old) if what.checks else validation.validate_update(kind, new, old))
    attributes.request.warnings.extend(kind.strategy.warnings(new, old))
    attributes.new = new if view is None else view.show(new)
    if (pending := backend.admission.validate(attributes)) is not None:
        await pending
    return new


async def _store(
    backend: Backend, kind: Kind, what: Change, new: Obj, states: tuple[Entry, Entry]
) -> Stored | Computed:
    """Write `new` over what there is, unless that changes nothing."""
    entry, shown = states
    old = shown.shared()
    keep_times(new, old)
    if same(new, old) and shown is entry:
        return Stored(kind, entry)
    if what.options.dry_run:
        return Computed(new, kind=kind)
    kept = await stored(kind, new)
    if shown is not entry and same(kept, entry.shared()):
        return Stored(kind, shown)
    write = backend.store.delete if goes_with(kind, new, old) else backend.store.update
    written = await write(entry.key, encoder(kept), entry.revision, kept)
    return Stored(kind, await served(kind, written))


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
