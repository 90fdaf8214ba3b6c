"""A Scale's managedFields: the entries of its object that have the replicas, and back again.

Source: apimachinery `managedfields/scalehandler.go`.
"""

from __future__ import annotations

from skerry.engine.schema.managed.elements import ordered
from skerry.engine.schema.managed.managers import UPDATE, Managed, Manager, entry_of, listed, stored
from skerry.engine.schema.managed.sets import Set, difference, has, of_paths
from skerry.kube.objects import Obj

_VERSION = "autoscaling/v1"
_REPLICAS = ("f:spec", "f:replicas")
_FIELDS: Set = of_paths([_REPLICAS])


def entries_of_scale(entries: list[Obj] | None, replicas: tuple[str, ...]) -> list[Obj]:
    """Who manages the replicas, which the object has at the path `replicas` (names), as the Scale says it."""
    path = _elements(replicas)
    return [
        entry_of(_at(manager, _VERSION), _VERSION, _FIELDS, entry.get("time"))
        for manager, entry in stored(entries).items()
        if has(entry["fieldsV1"], path)
    ]


def entries_of_parent(
    entries: list[Obj] | None, scale: list[Obj] | None, api_version: str, replicas: tuple[str, ...]
) -> list[Obj]:
    """The object's entries after its Scale was written, `scale` being that one's: who lost the replicas loses them
    here, and who is new is added, without a time, as Kubernetes does."""
    path = _elements(replicas)
    owners = {
        _at(manager, api_version) for manager, entry in stored(scale).items() if has(entry["fieldsV1"], _REPLICAS)
    }
    result: Managed = {}
    for manager, entry in stored(entries).items():
        fields = entry["fieldsV1"]
        if not has(fields, path) or _at(manager, api_version) in owners:
            result[manager] = entry
        elif left := difference(fields, of_paths([path])):
            result[manager] = {**entry, "fieldsV1": ordered(left)}
    for manager in owners - {_at(manager, api_version) for manager in result}:
        result[manager] = entry_of(manager, api_version, of_paths([path]), None)
    return listed(result)


def _at(manager: Manager, version: str) -> Manager:
    return manager._replace(api_version=version if manager.operation == UPDATE else "")


def _elements(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"f:{name}" for name in names)
