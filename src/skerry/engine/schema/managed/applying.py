"""Server-side apply: an applied configuration merged into the live object, less what its manager no longer applies.

Whoever applies a field manages it, with others if the value is the same; a value others manage differently is a
conflict, or taken over by force. What a manager applied before and leaves out now is removed unless others manage it.
Source: structured-merge-diff `merge/update.go` (Apply, prune), apimachinery `managedfields/internal`.
"""

from __future__ import annotations

from skerry.engine.schema.managed.conflicts import ApplyConflict
from skerry.engine.schema.managed.elements import ordered
from skerry.engine.schema.managed.last_applied import allowed_conflicts, with_annotation
from skerry.engine.schema.managed.managers import APPLY, Managed, Manager, entry_of, listed, stored
from skerry.engine.schema.managed.merge import merge, take_out
from skerry.engine.schema.managed.schemas import reconciled, with_named_fields
from skerry.engine.schema.managed.sets import Set, difference, intersection, union, without
from skerry.engine.schema.managed.updates import Write, strip, track_create
from skerry.kube.objects import Obj

KUBECTL = "kubectl"
"""The manager that takes over from client-side apply without being asked, and keeps its annotation up to date."""
_BEFORE = "before-first-apply"


def apply(live: Obj | None, config: Obj, write: Write, *, force: bool) -> Obj:
    """The object after `config` (which fits the schema) was applied to `live` (None: it is not there), managedFields
    included. Raises ApplyConflict."""
    try:
        result = _Application(live or {}, config, write).run(force=force)
    except ApplyConflict as conflict:
        allowed = allowed_conflicts(live or {}, write) if write.name == KUBECTL else None
        if allowed is None:
            raise
        if (left := conflict.less(allowed)) is not None:
            raise left from None
        result = _Application(live or {}, config, write).run(force=True)
    return with_annotation(result, config) if write.name == KUBECTL else result


class _Application:
    """One apply. Sets are by manager, `self.fields` those after it."""

    def __init__(self, live: Obj, config: Obj, write: Write) -> None:
        self.managed = _managers_of(live, write)
        self.live = _bare(live)
        self.config = config
        self.write = write
        self.me = Manager(write.name, APPLY, write.subresource)
        self.fields = {manager: reconciled(write.type, entry["fieldsV1"]) for manager, entry in self.managed.items()}

    def run(self, *, force: bool) -> Obj:
        """The new object."""
        kind = self.write.type
        last = self.fields.get(self.me)
        self.fields[self.me] = without(kind.owned(self.config) or {}, self.write.reset.fields)
        merged: Obj = merge(kind, self.live, self.config)
        new = self._pruned(merged, last) if last else merged
        self._take(new, force=force)
        mine = strip(self.fields[self.me])
        self.fields = {manager: left for manager, left in self.fields.items() if left and manager != self.me}
        managed = self._entries(mine, changed=new != self.live)
        metadata = {**(new.get("metadata") or {}), "managedFields": listed(managed)}
        if not managed:
            del metadata["managedFields"]
        return {**new, "metadata": metadata}

    def _take(self, new: Obj, *, force: bool) -> None:
        """Take from the others what this changes or removes. Raises ApplyConflict unless by force."""
        changed, removed = self.write.type.compare(self.live, new)
        changed, removed = (
            without(changed or {}, self.write.reset.fields),
            without(removed or {}, self.write.reset.fields),
        )
        others = {manager: fields for manager, fields in self.fields.items() if manager != self.me}
        conflicts = {manager: common for manager, fields in others.items() if (common := intersection(fields, changed))}
        if conflicts and not force:
            raise ApplyConflict(conflicts)
        for manager, fields in others.items():
            self.fields[manager] = difference(difference(fields, changed), removed)

    def _entries(self, mine: Set, *, changed: bool) -> Managed:
        result: Managed = {}
        for manager, fields in self.fields.items():
            entry = self.managed[manager]
            result[manager] = entry if fields == entry["fieldsV1"] else {**entry, "fieldsV1": ordered(fields)}
        if mine:
            had = self.managed.get(self.me) or {}
            time = self.write.now if changed else had.get("time")
            result[self.me] = entry_of(self.me, self.write.api_version, ordered(mine), time)
        return result

    def _pruned(self, merged: Obj, last: Set) -> Obj:
        """`merged` without what this manager applied the last time, and neither it nor anybody else manages now."""
        kind = self.write.type
        last = with_named_fields(kind, last)
        everything = with_named_fields(kind, kind.owned(merged) or {})
        kept = with_named_fields(kind, kind.owned(take_out(kind, merged, last) or {}) or {})
        for fields in self.fields.values():
            kept = union(kept, with_named_fields(kind, fields))
        rest = take_out(kind, merged, difference(everything, kept)) or {}
        gone = difference(everything, with_named_fields(kind, kind.owned(rest) or {}))
        return take_out(kind, merged, intersection(gone, last)) or {}


def _managers_of(live: Obj, write: Write) -> Managed:
    """The entries of an object; what was there before anybody tracked it belongs to a manager of its own."""
    managed = stored((live.get("metadata") or {}).get("managedFields"))
    if managed or not live:
        return managed
    tracked = {**live, "metadata": {**live["metadata"]}}
    track_create(tracked, write._replace(name=_BEFORE))
    return stored(tracked["metadata"].get("managedFields"))


def _bare(obj: Obj) -> Obj:
    """The object without its managedFields."""
    metadata = obj.get("metadata")
    if not metadata or "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}
