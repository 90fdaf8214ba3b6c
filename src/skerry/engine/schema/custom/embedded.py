"""Objects within objects (`x-kubernetes-embedded-resource`): their metadata is pruned and checked like any object's.

Source: `pkg/apiserver/schema/objectmeta` of the apiextensions server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.schema import metadata, names
from skerry.engine.schema.causes import invalid
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.custom.complaints import required
from skerry.engine.schema.custom.structural import Node
from skerry.engine.schema.pruning import Pruning, WrongType
from skerry.engine.schema.shapes import OBJECT_META, shape_of
from skerry.kube.errors import BadRequest, Cause
from skerry.kube.objects import Obj, Resource


def coerce(value: Any, node: Node | None, path: str = "") -> list[str]:
    """Prune the metadata of all embedded objects; the paths of what was dropped. Raises BadRequest for what is none."""
    if node is None or not node.has_embedded:
        return []
    unknown: list[str] = []
    if isinstance(value, dict):
        if node.embedded:
            unknown += _coerce_object(value, path)
        for key, item in value.items():
            unknown += coerce(item, node.below(key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            unknown += coerce(item, node.items, f"{path}[{index}]")
    return unknown


def _coerce_object(obj: Obj, path: str) -> list[str]:
    for part in ("apiVersion", "kind"):
        if part in obj and not isinstance(obj[part], str):
            raise BadRequest(f"{path}.{part}: Invalid value: {obj[part]!r}: must be a string")
    given = obj.get("metadata")
    if given is None:
        return []
    shape, pruning = shape_of(OBJECT_META), Pruning()
    if shape.clean(given):
        return []
    try:
        pruning.walk(shape, given, (f"{path}.metadata",), "ObjectMeta")
    except WrongType as error:
        raise BadRequest(f"{path}.metadata: Invalid value: {error}") from None
    return pruning.unknown


def check_embedded(value: Any, node: Node | None, path: str = "") -> Iterator[Cause]:
    """What is wrong with embedded objects as objects."""
    if node is None or not node.has_embedded:
        return
    if isinstance(value, dict):
        if node.embedded:
            yield from _check_object(value, path)
        for key, item in value.items():
            yield from check_embedded(item, node.below(key), f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from check_embedded(item, node.items, f"{path}[{index}]")


def _check_object(obj: Obj, path: str) -> Iterator[Cause]:
    for part in ("apiVersion", "kind"):
        if part not in obj:
            yield required(f"{path}.{part}")
        elif not obj[part]:
            yield invalid(f"{path}.{part}", obj[part], "must not be empty")
    version, kind = obj.get("apiVersion") or "", obj.get("kind") or ""
    if version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    if kind and (complaint := names.dns1035(kind.lower())):
        yield invalid(f"{path}.kind", kind, f"may have mixed case, but should otherwise match: {complaint}")
    given = obj.get("metadata") or {}
    namespaced = bool(given.get("namespace"))
    assumed = Kind(Resource("", "v1", "embedded", kind, namespaced), "", "", name_rule=names.path_segment)
    for cause in metadata.validate(assumed, {"metadata": {"name": "fakename", **given}}):
        yield Cause(cause.reason, cause.message, f"{path}.{cause.field}")
