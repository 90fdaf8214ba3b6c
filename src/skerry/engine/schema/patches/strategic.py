"""Strategic merge patch: a merge patch that knows from the schema which lists merge by key, plus its directives.

Directives: `$patch: delete|replace|merge`, `$retainKeys`, `$deleteFromPrimitiveList/<field>`,
`$setElementOrder/<field>`. Source: k8s.io/apimachinery `pkg/util/strategicpatch` and the design document
`strategic-merge-patch.md`. Neighbours: `ordering` (element order), `shapes` (merge keys and strategies).
"""

from __future__ import annotations

from typing import Any

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.patches.ordering import identity, ordered
from skerry.engine.schema.shapes import NO_RULE, MergeRule, Shape, shape_of
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj

PATCH = "$patch"
RETAIN = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList/"
ORDER = "$setElementOrder/"


def apply(kind: Kind, original: Obj, patch: Obj) -> Obj:
    """The patched object; `original` is changed in place. Raises BadRequest for a malformed patch."""
    return _merge_object(original, patch, shape_of(kind.definition))


def _merge_object(original: Obj, patch: Obj, shape: Shape | None) -> Obj:
    directive = patch.get(PATCH)
    if directive == "replace":
        return _object_without_directives({key: value for key, value in patch.items() if key != PATCH})
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise BadRequest(f"Unknown patch type found: {directive}")
    if RETAIN in patch:
        original = _retain(original, patch)
    for key, value in patch.items():
        if key.startswith(DELETE_FROM):
            _delete_from(original, key.removeprefix(DELETE_FROM), value)
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(original, key, value, shape)
    for key, value in patch.items():
        if key.startswith(ORDER):
            _order(original, key.removeprefix(ORDER), value, shape)
    return original


def _retain(original: Obj, patch: Obj) -> Obj:
    keep = _list(patch[RETAIN], RETAIN)
    strays = [key for key in patch if not key.startswith("$") and patch[key] is not None and key not in keep]
    if strays:
        raise BadRequest("invalid patch format of retainKeys: it must contain all the keys of the patch")
    return {key: value for key, value in original.items() if key in keep}


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRequest(f"invalid patch format of {what}: it must be a list")
    return value


def _delete_from(original: Obj, key: str, values: Any) -> None:
    unwanted = _list(values, DELETE_FROM + key)
    if isinstance(original.get(key), list):
        gone = {identity(item) for item in unwanted}
        original[key] = [item for item in original[key] if identity(item) not in gone]


def _field(shape: Shape | None, key: str) -> tuple[Shape | None, MergeRule]:
    if shape is None:
        return None, NO_RULE
    return (shape.items if shape.type == "map" else shape.fields.get(key)), shape.rules.get(key, NO_RULE)


def _merge_field(original: Obj, key: str, value: Any, shape: Shape | None) -> None:
    below, rule = _field(shape, key)
    current = original.get(key)
    if value is None:
        original.pop(key, None)
    elif isinstance(current, dict) and isinstance(value, dict) and "replace" not in rule.strategies:
        merged = _merge_object(current, value, below)
        if merged or value.get(PATCH) != "delete":
            original[key] = merged
        else:
            del original[key]
    elif isinstance(current, list) and isinstance(value, list) and "merge" in rule.strategies:
        original[key] = _merge_list(current, value, rule, below.items if below else None)
    else:
        fresh = _without_directives(value)
        if not (isinstance(value, dict) and value.get(PATCH) == "delete"):
            original[key] = fresh


def _merge_list(current: list[Any], patch: list[Any], rule: MergeRule, items: Shape | None) -> list[Any]:
    if not rule.key:
        return _union(current, patch)
    if any(isinstance(item, dict) and item.get(PATCH) == "replace" and rule.key not in item for item in patch):
        return [_without_directives(item) for item in patch if not _is_bare(item)]
    merged: list[Any] = list(current)
    places: dict[Any, list[int]] = {}
    for index, item in enumerate(merged):
        places.setdefault(merge_key(item, rule.key), []).append(index)
    deleted: set[int] = set()
    for item in patch:
        value = merge_key(item, rule.key)
        if item.get(PATCH) == "delete":
            deleted.update(places.pop(value, ()))
        elif value not in places:
            places[value] = [len(merged)]
            merged.append(_without_directives(item))
        else:
            place = places[value][0]
            merged[place] = _merge_object(merged[place], item, items)
    return [item for index, item in enumerate(merged) if index not in deleted]


def _union(current: list[Any], patch: list[Any]) -> list[Any]:
    return list({identity(item): item for item in [*current, *patch]}.values())


def _is_bare(item: Any) -> bool:
    return isinstance(item, dict) and list(item) == [PATCH]


def merge_key(item: Any, key: str) -> Any:
    """The value that identifies a list element. Raises BadRequest when it has none."""
    if not isinstance(item, dict):
        raise BadRequest(f"unable to find merge key {key}: the element is not an object")
    value = item.get(key)
    if value is None:
        raise BadRequest(f"map: {item} does not contain declared merge key: {key}")
    if isinstance(value, dict | list):
        raise BadRequest(f"merge key {key} must be a string or a number")
    return value


def _without_directives(value: Any) -> Any:
    """A patch value that meets nothing to merge with: its nulls and directives have nothing left to do."""
    if isinstance(value, dict):
        return _object_without_directives(value)
    if isinstance(value, list):
        return [_without_directives(item) for item in value if not _drops(item)]
    return value


def _drops(item: Any) -> bool:
    return isinstance(item, dict) and (item.get(PATCH) == "delete" or _is_bare(item))


def _object_without_directives(value: Obj) -> Obj:
    return {
        key: _without_directives(item)
        for key, item in value.items()
        if item is not None and key not in (PATCH, RETAIN) and not key.startswith((DELETE_FROM, ORDER))
    }


def _order(original: Obj, key: str, wanted: Any, shape: Shape | None) -> None:
    order = _list(wanted, ORDER + key)
    current = original.get(key)
    if not isinstance(current, list):
        return
    rule = _field(shape, key)[1]
    if "merge" not in rule.strategies:
        return
    if rule.key:
        order = [merge_key(item, rule.key) for item in order]
        original[key] = ordered(current, order, lambda item: merge_key(item, rule.key))
    else:
        original[key] = ordered(current, order, lambda item: item)
