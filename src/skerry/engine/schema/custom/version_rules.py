"""`spec.versions` of a definition: flags, columns, subresources, selectable fields. Source: as `definition_rules`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, invalid, required
from skerry.engine.schema.custom.complaints import too_many
from skerry.engine.schema.custom.nested import keys_of
from skerry.engine.schema.custom.schema_rules import check_schema
from skerry.engine.schema.custom.structural import Node, compile_node
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_MOST_SELECTABLE = 8


def check_versions(spec: Obj, old: Obj | None) -> Iterator[Cause]:
    """All versions. `old` is the spec before: schemas that were there are not held to newer rules."""
    versions: list[Obj] = spec.get("versions") or []
    listed = [version.get("name") or "" for version in versions]
    for index, version in enumerate(versions):
        field = f"spec.versions[{index}]"
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"{field}.schema.openAPIV3Schema")
        if complaint := names.dns1035(listed[index]):
            yield invalid(f"{field}.name", listed[index], complaint)
        yield from _check_deprecation(version, field)
    yield from _check_parts(versions, old)
    if len(set(listed)) != len(listed):
        yield invalid("spec.versions", versions, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield invalid("spec.versions", versions, "must have exactly one version marked as storage version")


def _check_deprecation(version: Obj, field: str) -> Iterator[Cause]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    field = f"{field}.deprecationWarning"
    if not version.get("deprecated"):
        yield invalid(field, warning, "can only be set for deprecated versions")
        return
    if len(warning.encode()) > 256:
        yield invalid(field, warning, "must be <= 256 characters long")
    if not warning:
        yield invalid(field, warning, "must not be an empty string")
    if bad := [index for index, char in enumerate(warning) if not char.isprintable()]:
        why = f"must only contain printable UTF-8 characters; non-printable character found at index {bad[0]}"
        yield invalid(field, warning, why)


def _check_parts(versions: list[Obj], old: Obj | None) -> Iterator[Cause]:
    """What versions may share is checked once when they do."""
    before = {version["name"]: version for version in (old or {}).get("versions") or ()}
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in versions]
    for place, version in _places(versions, schemas, "validation", "schema"):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema:
            known = (before.get(version.get("name")) or {}).get("schema", {}).get("openAPIV3Schema")
            has_status = (version.get("subresources") or {}).get("status") is not None
            yield from check_schema(schema, f"{place}.openAPIV3Schema", known, has_status=has_status)
    for place, version in _places(versions, [each.get("subresources") for each in versions], "subresources"):
        yield from _check_scale((version.get("subresources") or {}).get("scale"), f"{place}.scale")
    columns = [each.get("additionalPrinterColumns") for each in versions]
    for place, version in _places(versions, columns, "additionalPrinterColumns"):
        for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
            yield from _check_column(column, f"{place}[{index}]")
    fields = [each.get("selectableFields") for each in versions]
    for place, version in _places(versions, fields, "selectableFields"):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if version.get("selectableFields") and schema:
            yield from _check_selectable(version["selectableFields"], compile_node(schema), place)


def _places(versions: list[Obj], parts: list[Any], shared: str, own: str = "") -> Iterator[tuple[str, Obj]]:
    if versions and all(part == parts[0] for part in parts):
        yield f"spec.{shared}", versions[0]
    else:
        yield from ((f"spec.versions[{index}].{own or shared}", version) for index, version in enumerate(versions))


def _check_scale(scale: Obj | None, field: str) -> Iterator[Cause]:
    if scale is None:
        return
    for part, roots in (("specReplicasPath", (".spec.",)), ("statusReplicasPath", (".status.",))):
        path = scale.get(part) or ""
        if not path:
            yield required(f"{field}.{part}")
        elif complaint := _simple_path(path):
            yield invalid(f"{field}.{part}", path, complaint)
        elif not path.startswith(roots):
            yield invalid(f"{field}.{part}", path, f"should be a json path under {roots[0].rstrip('.')}")
    path = scale.get("labelSelectorPath") or ""
    if path and (complaint := _simple_path(path)):
        yield invalid(f"{field}.labelSelectorPath", path, complaint)
    elif path and not path.startswith((".spec.", ".status.")):
        yield invalid(f"{field}.labelSelectorPath", path, "should be a json path under either .spec or .status")


def _simple_path(path: str) -> str:
    return "" if path.startswith(".") else "must be a simple json path starting with ."


def _check_column(column: Obj, field: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{field}.name")
    types, kind = f"must be one of {','.join(_COLUMN_TYPES)}", column.get("type") or ""
    if not kind:
        yield required(f"{field}.type", types)
    elif kind not in _COLUMN_TYPES:
        yield invalid(f"{field}.type", kind, types)
    form = column.get("format") or ""
    if form and form not in _COLUMN_FORMATS:
        yield invalid(f"{field}.format", form, f"must be one of {','.join(_COLUMN_FORMATS)}")
    path = column.get("jsonPath") or ""
    if not path:
        yield required(f"{field}.JSONPath")
    elif complaint := _simple_path(path):
        yield invalid(f"{field}.JSONPath", path, complaint)


def _check_selectable(fields: list[Obj], root: Node, place: str) -> Iterator[Cause]:
    seen: set[tuple[str, ...]] = set()
    for index, each in enumerate(fields):
        field, text = f"{place}[{index}].jsonPath", each.get("jsonPath") or ""
        if not text:
            yield required(field)
            continue
        keys = keys_of(text)
        node = _node_at(root, keys)
        if not text.startswith(".") or "[" in text or node is None:
            yield invalid(field, text, f"is an invalid path: does not refer to a valid field: {text}")
            continue
        if keys[0] == "metadata":
            yield invalid(field, text, "must not point to fields in metadata")
        if node.type not in ("string", "boolean", "integer"):
            why = (
                "must point to a field of type string, boolean or integer. Enum string fields and strings with formats "
                "are allowed."
            )
            yield invalid(field, text, why)
        if keys in seen:
            yield duplicate(field, text)
        seen.add(keys)
    if len(seen) > _MOST_SELECTABLE:
        yield too_many(place, len(seen), _MOST_SELECTABLE)


def _node_at(root: Node, keys: tuple[str, ...]) -> Node | None:
    node: Node | None = root
    for key in keys:
        node = node.properties.get(key) if node is not None else None
    return node
