"""`metadata.managedFields`: entries as clients see them, told apart, read, put in order, and kept few.

Entries are JSON objects, shared, never changed. Source: apimachinery `managedfields/internal/managedfields.go`,
`capmanagers.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from skerry.engine.schema.managed.elements import MalformedSet, checked, ordered
from skerry.engine.schema.managed.sets import Set, union
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.objects import Obj

APPLY, UPDATE = "Apply", "Update"
MOST_UPDATERS = 10
"""Entries of updates that are kept apart; the oldest beyond become one."""
LONGEST_NAME = 128
"""Bytes of a manager's name (`FieldManagerMaxLength`)."""
_LONGEST_SUBRESOURCE = 256
_ANCIENT = "ancient-changes"


class Manager(NamedTuple):
    """What tells entries apart. `api_version` is "" for who applies: it stays one manager over versions."""

    name: str
    operation: str
    subresource: str = ""
    api_version: str = ""


Managed: TypeAlias = dict[Manager, Obj]
"""The entries of one object."""


def manager_of(entry: Mapping[str, Any]) -> Manager:
    """Whose entry it is."""
    operation = entry["operation"]
    version = "" if operation == APPLY else entry["apiVersion"]
    return Manager(entry.get("manager", ""), operation, entry.get("subresource", ""), version)


def entry_of(manager: Manager, api_version: str, fields: Set, time: str | None) -> Obj:
    """A new entry, `fields` in order already. `time` (UTC, whole seconds: it sorts as text) None: the manager changed
    nothing when it came."""
    entry: Obj = {"manager": manager.name, "operation": manager.operation, "apiVersion": api_version}
    if time is not None:
        entry["time"] = time
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = fields
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def stored(entries: list[Obj] | None) -> Managed:
    """Entries this server has written."""
    return {manager_of(entry): entry for entry in entries or ()}


def is_reset(given: Any) -> bool:
    """Whether a client asks to forget who managed what: no entries, or one that is empty."""
    return bool(given == [] or given == [{}])


def given(entries: list[Obj]) -> Managed:
    """Entries a client has written. Raises MalformedSet."""
    found: Managed = {}
    for index, entry in enumerate(entries):
        if entry.get("operation") not in (APPLY, UPDATE):
            raise MalformedSet("operation must be `Apply` or `Update`")
        if not entry.get("apiVersion"):
            raise MalformedSet("apiVersion must not be empty")
        if entry.get("fieldsType") != "FieldsV1":
            raise MalformedSet(f"invalid fieldsType in managed fields entry {index}")
        manager = manager_of(entry)
        if len(manager.name.encode()) > LONGEST_NAME or len(manager.subresource) > _LONGEST_SUBRESOURCE:
            raise MalformedSet("the name of a manager or subresource is too long")
        fields = ordered(checked(entry.get("fieldsV1") or {}))
        found[manager] = entry_of(manager, entry["apiVersion"], fields, _time(entry.get("time")))
    return found


def _time(given: str | None) -> str | None:
    try:
        return rfc3339(parse_time(given)) if given else None
    except ValueError as error:
        raise MalformedSet(str(error)) from None


def listed(managed: Managed) -> list[Obj]:
    """The entries in the order they are shown: who applies first, then by time and name."""
    return sorted(managed.values(), key=_order) if len(managed) > 1 else list(managed.values())


def _order(entry: Obj) -> tuple[str, str, str, str, str]:
    return (
        entry["operation"],
        entry.get("time", ""),
        entry.get("manager", ""),
        entry["apiVersion"],
        entry.get("subresource", ""),
    )


def capped(managed: Managed) -> Managed:
    """The same with at most MOST_UPDATERS updaters: the oldest of each version become one."""
    updaters = [manager for manager in managed if manager.operation == UPDATE]
    if len(updaters) <= MOST_UPDATERS:
        return managed
    result = dict(managed)
    count = len(updaters)
    first: dict[str, Manager] = {}
    for manager in sorted(updaters, key=lambda each: (managed[each].get("time", ""), each)):
        if count <= MOST_UPDATERS:
            break
        version = manager.api_version
        if version in first:
            _merge(result, Manager(_ANCIENT, UPDATE, "", version), first[version], manager)
            count -= 1
        else:
            first[version] = manager
    return result


def _merge(managed: Managed, bucket: Manager, first: Manager, manager: Manager) -> None:
    """Move an entry into the bucket of its version, which begins as the first of them; the bucket is as old as the
    youngest in it."""
    into = managed.get(bucket) or managed.pop(first)
    moved = managed.pop(manager)
    fields = ordered(union(moved["fieldsV1"], into["fieldsV1"]))
    managed[bucket] = entry_of(bucket, bucket.api_version, fields, moved.get("time"))
