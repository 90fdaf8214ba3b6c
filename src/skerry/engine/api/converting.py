"""Stored objects as the version asked for shows them, and back: the one place where a kind's `Conversion` is called.

Verbs call this for every kind; a kind without a conversion, and an object that needs none, passes through untouched,
so the bytes in the store stay the bytes of the answer. Neighbours: `schema.contract.Conversion`, the verbs, `writing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from skerry.engine.schema.contract import Kind
from skerry.engine.store.contract import Change, Entry
from skerry.kube.objects import Obj


async def served(kind: Kind, entry: Entry) -> Entry:
    """One stored object as the kind's version shows it: the very entry where nothing is to be done."""
    if kind.conversion is None or kind.conversion.is_current(entry.revision):
        return entry
    return (await all_served(kind, [entry]))[0]


async def all_served(kind: Kind, entries: Sequence[Entry]) -> Sequence[Entry]:
    """`served` for a collection, converted in one batch. Raises StatusError when the conversion fails."""
    conversion = kind.conversion
    if conversion is None:
        return entries
    stale = [index for index, entry in enumerate(entries) if not conversion.is_current(entry.revision)]
    if not stale:
        return entries
    converted = await conversion.to_served([entries[index].decode() for index in stale])
    shown = list(entries)
    for index, obj in zip(stale, converted, strict=True):
        shown[index] = Entry(entries[index].key, entries[index].revision, orjson.dumps(obj))
    return shown


async def changes_served(kind: Kind, changes: Sequence[Change], *, previous: bool) -> Sequence[Change]:
    """Changes as a watch of the kind's version sees them. `previous`: whether the states before are looked at."""
    if kind.conversion is None:
        return changes
    entries = await all_served(kind, [change.entry for change in changes])
    if not previous:
        return [replace(change, entry=entry) for change, entry in zip(changes, entries, strict=True)]
    before = iter(await all_served(kind, [change.previous for change in changes if change.previous is not None]))
    return [
        replace(change, entry=entry, previous=None if change.previous is None else next(before))
        for change, entry in zip(changes, entries, strict=True)
    ]


async def stored(kind: Kind, obj: Obj) -> Obj:
    """An object of the kind's version as it is stored; `obj` is private and may be the one that comes back."""
    if kind.conversion is None:
        return obj
    return (await kind.conversion.to_stored([obj]))[0]
