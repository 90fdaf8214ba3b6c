"""What makers of definitions and custom resources are told that is allowed but probably not meant.

Source: `WarningsOnCreate`, `WarningsOnUpdate` in the apiextensions server's `pkg/registry`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.schema import names
from skerry.engine.schema.custom.formats import is_known
from skerry.kube.objects import Obj

_STANDARD = ("orphan", "foregroundDeletion", "kubernetes")
_PARTS = ("items", "additionalProperties", "not")


def finalizer_warnings(new: Obj, old: Obj | None) -> list[str]:
    """Finalizers that were added and might be somebody else's by accident."""
    before = set(old["metadata"].get("finalizers") or ()) if old is not None else set()
    added = sorted(set(new["metadata"].get("finalizers") or ()) - before)
    return [warning for name in added for warning in _about_finalizer(name)]


def _about_finalizer(name: str) -> Iterator[str]:
    field = "metadata.finalizers"
    if complaint := names.qualified_name(name):
        yield f'{field}: "{name}": {complaint}'
    if "/" not in name and name not in _STANDARD:
        path = " including a path (/)" if "." in name else ""
        advice = f"prefer a domain-qualified finalizer name{path} to avoid accidental conflicts"
        yield f'{field}: "{name}": {advice} with other finalizer writers'


def definition_warnings(new: Obj, old: Obj | None) -> list[str]:
    """Formats nobody knows and sets of what cannot be compared, where the definition before had none."""
    known = set(_about(old)) if old is not None else set()
    return [warning for warning in dict.fromkeys(_about(new)) if warning not in known]


def _about(definition: Obj) -> Iterator[str]:
    for version in definition["spec"].get("versions") or ():
        yield from _about_schema((version.get("schema") or {}).get("openAPIV3Schema"))


def _about_schema(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    form, items = schema.get("format"), schema.get("items")
    if form and not is_known(schema.get("type") or "", form):
        yield f'unrecognized format "{form}"'
    if schema.get("x-kubernetes-list-type") == "set" and isinstance(items, dict):
        kind = items.get("type")
        if kind in ("object", "array"):
            yield (
                f'x-kubernetes-list-type: set for items of type "{kind}" is not supported by server-side apply or CEL '
                "validation rules"
            )
    below = [schema.get(part) for part in _PARTS] + list((schema.get("properties") or {}).values())
    for part in ("allOf", "anyOf", "oneOf"):
        below += schema.get(part) or []
    for each in below:
        yield from _about_schema(each)
