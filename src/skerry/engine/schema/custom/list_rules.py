"""List and map types of a schema (`x-kubernetes-list-type`, -list-map-keys, -map-type). Source: as `schema_rules`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_LIST, _KEYS, _MAP = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"


def check_lists(schema: Obj, path: str) -> Iterator[Cause]:
    """What is wrong with the list and map types of one schema."""
    kind, list_type, map_type = schema.get("type") or "", schema.get(_LIST), schema.get(_MAP)
    if map_type is not None:
        yield from _check_type(kind, "object", _MAP, path)
        if map_type not in ("atomic", "granular"):
            yield not_supported(f"{path}.{_MAP}", map_type, ("atomic", "granular"))
    if list_type is not None:
        yield from _check_type(kind, "array", _LIST, path)
        if list_type not in ("atomic", "set", "map"):
            yield not_supported(f"{path}.{_LIST}", list_type, ("atomic", "set", "map"))
    yield from _check_keys_need_map(schema, path)
    items = schema.get("items")
    if list_type == "set" and isinstance(items, dict):
        yield from _check_set_items(items, f"{path}.items")
    if list_type == "map":
        yield from _check_map(schema, path)
    if list_type in ("set", "map") and isinstance(items, dict):
        if items.get("nullable"):
            yield forbidden(f"{path}.items.nullable", f"cannot be nullable when {_LIST} is {list_type}")
        if list_type == "map":
            yield from _check_key_presence(schema.get(_KEYS) or [], items, f"{path}.items")


def _check_type(kind: str, wanted: str, extension: str, path: str) -> Iterator[Cause]:
    why = f"must be {wanted} if {extension} is specified"
    if not kind:
        yield required(f"{path}.type", why)
    elif kind != wanted:
        yield invalid(f"{path}.type", kind, why)


def _check_keys_need_map(schema: Obj, path: str) -> Iterator[Cause]:
    list_type, why = schema.get(_LIST), f"must be map if {_KEYS} is non-empty"
    if not schema.get(_KEYS):
        return
    if list_type is None:
        yield required(f"{path}.{_LIST}", why)
    elif list_type != "map":
        yield invalid(f"{path}.{_LIST}", list_type, why)


def _check_set_items(items: Obj, path: str) -> Iterator[Cause]:
    why = f"must be atomic as item of a list with {_LIST}=set"
    if items.get("type") == "array" and items.get(_LIST) not in (None, "atomic"):
        yield invalid(f"{path}.{_LIST}", items[_LIST], why)
    if items.get("type") == "object" and items.get(_MAP) != "atomic":
        yield invalid(f"{path}.{_MAP}", items.get(_LIST), why)


def _check_map(schema: Obj, path: str) -> Iterator[Cause]:
    keys, items = schema.get(_KEYS) or [], schema.get("items")
    if not keys:
        yield required(f"{path}.{_KEYS}", f"must not be empty if {_LIST} is map")
    if items is None:
        yield required(f"{path}.items", f"must have a schema if {_LIST} is map")
    if not isinstance(items, dict):
        return
    if items.get("type") != "object":
        why = f"must be object if parent array's {_LIST} is map"
        yield invalid(f"{path}.items.type", items.get("type", ""), why)
        return
    for index, key in enumerate(keys):
        below = (items.get("properties") or {}).get(key)
        if below is None:
            yield invalid(f"{path}.{_KEYS}", keys, "entries must all be names of item properties")
        elif below.get("type") in ("array", "object"):
            why = f"must be a scalar type if parent array's {_LIST} is map"
            yield invalid(f"{path}.items.properties[{key}].type", items["type"], why)
        if key in keys[:index]:
            yield invalid(f"{path}.{_KEYS}", keys, "must not contain duplicate entries")


def _check_key_presence(keys: list[str], items: Obj, path: str) -> Iterator[Cause]:
    here = f"this property is in {_KEYS}, so it"
    for key in keys:
        below = (items.get("properties") or {}).get(key)
        if below is None:
            continue
        field = f"{path}.properties[{key}]"
        if key not in (items.get("required") or ()) and below.get("default") is None:
            yield required(f"{field}.default", f"{here} must have a default or be a required property")
        if below.get("nullable"):
            yield forbidden(f"{field}.nullable", f"{here} cannot be nullable")
