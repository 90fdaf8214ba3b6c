"""Creations and updates: what a write changed belongs to who wrote it, and to nobody else any more.

The object itself is not touched but for `metadata.managedFields`. Called at every write: it walks what differs only.
Source: structured-merge-diff `merge/update.go` (Update), apimachinery `managedfieldsupdater.go`, `stripmeta.go`,
`skipnonapplied.go`, `fieldmanager.go`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from skerry.engine.schema.managed.elements import MalformedSet, ordered
from skerry.engine.schema.managed.managers import (
    UPDATE,
    Managed,
    Manager,
    capped,
    entry_of,
    given,
    is_reset,
    listed,
    stored,
)
from skerry.engine.schema.managed.resets import Reset
from skerry.engine.schema.managed.schemas import reconciled
from skerry.engine.schema.managed.sets import SELF, Set, covers, difference, disjoint, union, without
from skerry.engine.schema.managed.types import ABSENT, Fields
from skerry.kube.objects import Obj

UNTRACKED = frozenset(
    {
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
        "resourceVersion",
    }
)  # fmt: skip
"""Fields of metadata that nobody manages; neither does anybody `apiVersion` and `kind`."""
_NOTHING: Any = {}


class Write(NamedTuple):
    """Who writes what, at the time `now` (RFC 3339)."""

    name: str
    api_version: str
    subresource: str
    type: Fields
    reset: Reset
    now: str

    @property
    def manager(self) -> Manager:
        """The writer as an updater."""
        return Manager(self.name or "unknown", UPDATE, self.subresource, self.api_version)


def track_create(obj: Obj, write: Write) -> None:
    """Set the managedFields of a new object: all of it is its creator's, and of whom else it names itself."""
    metadata = obj["metadata"]
    managed = _named_by(metadata, _NOTHING) if "managedFields" in metadata else _NOTHING
    changed, _ = _compare(_NOTHING, obj, write)
    if changed and not managed:
        metadata["managedFields"] = [entry_of(write.manager, write.api_version, ordered(changed), write.now)]
    else:
        _put(metadata, _taken(managed, changed, {}, write))


def track_update(new: Obj, old: Obj, write: Write) -> None:
    """Set the managedFields of a new state. An object nobody has tracked so far stays so until somebody applies it."""
    metadata = new["metadata"]
    managed = (
        stored(old["metadata"].get("managedFields")) if write.subresource else _named_by(metadata, old["metadata"])
    )
    if not managed:
        metadata.pop("managedFields", None)
        return
    if not write.type.lasting:
        managed = _up_to_date(managed, write.type)
    changed, removed = _compare(old, new, write)
    if changed or removed:
        managed = capped(_taken(managed, changed, removed, write))
    _put(metadata, managed)


def _named_by(new: Obj, old: Obj) -> Managed:
    """The entries to start from: those the client sent, if it knows of them, else those there were."""
    sent, had = new.get("managedFields"), old.get("managedFields")
    if is_reset(sent):
        return {}
    if not sent or sent == had:
        return stored(had)
    try:
        return given(sent) or stored(had)
    except MalformedSet:
        return stored(had)


def _up_to_date(managed: Managed, kind: Fields) -> Managed:
    """The entries for a schema in which more may be atomic than when they were written."""
    result: Managed = {}
    for manager, entry in managed.items():
        fields = reconciled(kind, entry["fieldsV1"])
        result[manager] = entry if fields == entry["fieldsV1"] else {**entry, "fieldsV1": ordered(fields)}
    return result


def _put(metadata: Obj, managed: Managed) -> None:
    if managed:
        metadata["managedFields"] = listed(managed)
    else:
        metadata.pop("managedFields", None)


def _taken(managed: Managed, changed: Set, removed: Set, write: Write) -> Managed:
    """The entries after a write: what changed leaves all others, what is gone leaves everybody."""
    mine = write.manager
    result: Managed = {}
    for manager, entry in managed.items():
        fields = entry["fieldsV1"]
        left = fields if manager == mine or disjoint(fields, changed) else difference(fields, changed)
        left = left if disjoint(left, removed) else difference(left, removed)
        if left is fields:
            result[manager] = entry
        elif left:
            result[manager] = {**entry, "fieldsV1": ordered(left)}
    if changed:
        had = result.get(mine)
        if had is not None and covers(had["fieldsV1"], changed):
            fields = had["fieldsV1"]
        else:
            fields = ordered(union(had["fieldsV1"], changed) if had else changed)
        result[mine] = entry_of(mine, write.api_version, fields, write.now)
    return result


def _compare(old: Obj, new: Obj, write: Write) -> tuple[Set, Set]:
    """What is different, less what nobody manages and what this way of writing leaves alone."""
    reset = write.reset
    changed: Set = {}
    removed: Set = {}
    for name in new if len(old) <= len(new) and old.keys() <= new.keys() else {**old, **new}:
        if name in reset.names:
            continue
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if before is after:
            continue
        if name == "metadata":
            before, after = _tracked(before), _tracked(after)
        if before != after:
            write.type.differ(name, before, after, changed, removed)
    if reset.parts:
        return without(changed, reset.fields), without(removed, reset.fields)
    return changed, removed


def _tracked(metadata: Any) -> Obj:
    if not metadata or metadata is ABSENT:
        return {}
    return {name: value for name, value in metadata.items() if name not in UNTRACKED}


def strip(fields: Set) -> Set:
    """A set without what nobody manages."""
    left = {key: below for key, below in fields.items() if key not in ("f:apiVersion", "f:kind", "f:metadata")}
    below = fields.get("f:metadata") or {}
    metadata = {key: each for key, each in below.items() if key != SELF and key[2:] not in UNTRACKED}
    return {**left, "f:metadata": metadata} if metadata else left
