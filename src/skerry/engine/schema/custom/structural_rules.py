"""Whether a schema is structural: every value's type is known without looking into allOf, anyOf, oneOf and not.

Source: `pkg/apiserver/schema/{validation,complete}.go` of the apiextensions server.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from skerry.engine.schema.causes import forbidden, invalid, required
from skerry.engine.schema.custom.scalars import matcher
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

Level = Literal["root", "item", "field"]
_EITHER = [{"type": "integer"}, {"type": "string"}]
_JUNCTORS = ("anyOf", "allOf", "oneOf")
_EMPTY_TYPE: dict[Level, str] = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_X = "x-kubernetes-"
_NOT_NESTED = {
    "type": "must be empty to be structural", "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural", "title": "must be empty to be structural",
    "description": "must be empty to be structural", "nullable": "must be false to be structural",
    f"{_X}preserve-unknown-fields": "must be false to be structural",
    f"{_X}embedded-resource": "must be false to be structural",
    f"{_X}int-or-string": "must be false to be structural", f"{_X}list-map-keys": "must be empty to be structural",
    f"{_X}list-type": "must be undefined to be structural", f"{_X}map-type": "must be undefined to be structural",
    f"{_X}validations": "must be empty to be structural",
}  # fmt: skip


def check_structural(schema: Obj, path: str) -> list[Cause]:
    """What is not structural about a schema, sorted."""
    causes = [*_check_node(schema, "root", path), *_check_complete(schema, schema, path, path)]
    return sorted(causes, key=lambda cause: (cause.field, cause.message))


def _check_node(schema: Any, level: Level, path: str) -> Iterator[Cause]:
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "array" and schema.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    yield from _check_node(schema.get("items"), "item", f"{path}.items")
    for name, below in (schema.get("properties") or {}).items():
        yield from _check_node(below, "field", f"{path}.properties[{name}]")
    additional = schema.get("additionalProperties")
    if additional is not None:
        if level == "root":
            yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
        yield from _check_node(additional, "field", f"{path}.additionalProperties")
    yield from _check_extensions(schema, path)
    yield from _check_values(schema, path)
    yield from _check_type(schema, level, path)
    yield from _check_meta(schema, level, path)


def _check_extensions(schema: Obj, path: str) -> Iterator[Cause]:
    if schema.get(f"{_X}int-or-string"):
        for name in (f"{_X}preserve-unknown-fields", f"{_X}embedded-resource"):
            if schema.get(name):
                yield invalid(f"{path}.{name}", True, f"must be false if {_X}int-or-string is true")


def _check_type(schema: Obj, level: Level, path: str) -> Iterator[Cause]:
    kind, embedded = schema.get("type") or "", schema.get(f"{_X}embedded-resource")
    untyped = schema.get(f"{_X}int-or-string") or schema.get(f"{_X}preserve-unknown-fields")
    if embedded and kind != "object":
        why = f"must be object if {_X}embedded-resource is true"
        yield invalid(f"{path}.type", kind, why) if kind else required(f"{path}.type", why)
    elif not kind and not untyped:
        yield required(f"{path}.type", _EMPTY_TYPE[level])
    if embedded and schema.get("additionalProperties") is not None:
        yield forbidden(f"{path}.additionalProperties", f"must not be used if {_X}embedded-resource is set")
    if level == "root" and kind and kind != "object":
        yield invalid(f"{path}.type", kind, "must be object at the root")
    if embedded and not schema.get(f"{_X}preserve-unknown-fields") and not schema.get("properties"):
        why = f"must not be empty if {_X}embedded-resource is true without {_X}preserve-unknown-fields"
        yield required(f"{path}.properties", why)


def _check_meta(schema: Obj, level: Level, path: str) -> Iterator[Cause]:
    """apiVersion, kind and metadata are what they are; a schema may restrict names, nothing else."""
    properties = schema.get("properties") or {}
    if level != "root" and not schema.get(f"{_X}embedded-resource"):
        return
    for name in ("kind", "apiVersion"):
        if name in properties and properties[name].get("type") != "string":
            yield invalid(f"{path}.properties[{name}].type", properties[name].get("type", ""), "must be string")
    metadata = properties.get("metadata")
    if metadata is None:
        return
    field = f"{path}.properties[metadata]"
    if metadata.get("type") != "object":
        yield invalid(f"{field}.type", metadata.get("type", ""), "must be object")
    if level == "root" and not _restricts_names_only(metadata):
        why = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield forbidden(field, why)


def _restricts_names_only(metadata: Obj) -> bool:
    others = {key for key, value in metadata.items() if value and key not in ("type", "properties", "default")}
    return not others and set(metadata.get("properties") or ()) <= {"name", "generateName"}


def _check_values(schema: Obj, path: str) -> Iterator[Cause]:
    """The parts that only restrict values: they may not say anything of types."""
    for junctor in _JUNCTORS:
        for index, nested in enumerate(schema.get(junctor) or ()):
            if junctor == "anyOf" and schema[junctor] == _EITHER and schema.get(f"{_X}int-or-string"):
                continue
            either = junctor == "allOf" and index == 0 and schema.get(f"{_X}int-or-string")
            yield from _check_nested(nested, f"{path}.{junctor}[{index}]", either=bool(either))
    if schema.get("not") is not None:
        yield from _check_nested(schema["not"], f"{path}.not")
    if pattern := schema.get("pattern"):
        try:
            matcher(pattern)
        except ValueError as error:
            yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")


def _check_nested(nested: Any, path: str, *, either: bool = False) -> Iterator[Cause]:
    """`either`: the place where an int-or-string may say so."""
    if not isinstance(nested, dict):
        return
    if either and nested.get("anyOf") == _EITHER:
        nested = {key: value for key, value in nested.items() if key != "anyOf"}
    yield from _check_values(nested, path)
    yield from _check_nested(nested.get("items"), f"{path}.items")
    properties = nested.get("properties") or {}
    for name, below in properties.items():
        yield from _check_nested(below, f"{path}.properties[{name}]")
    for name, why in _NOT_NESTED.items():
        if nested.get(name):
            yield forbidden(f"{path}.{name}", why)
    if "metadata" in properties:
        yield forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _check_complete(values: Obj, structure: Obj, path: str, at: str) -> Iterator[Cause]:
    """Whatever a junctor restricts is specified outside of it."""
    for junctor in _JUNCTORS:
        for index, nested in enumerate(values.get(junctor) or ()):
            yield from _check_complete_nested(nested, structure, path, f"{at}.{junctor}[{index}]")
    if values.get("not") is not None:
        yield from _check_complete_nested(values["not"], structure, path, f"{at}.not")


def _check_complete_nested(nested: Obj, structure: Any, path: str, at: str) -> Iterator[Cause]:
    if not isinstance(structure, dict):
        yield required(path, f"because it is defined in {at}")
        return
    yield from _check_complete(nested, structure, path, at)
    if isinstance(nested.get("items"), dict):
        yield from _check_complete_nested(nested["items"], structure.get("items"), f"{path}.items", f"{at}.items")
    known = structure.get("properties") or {}
    for name, below in (nested.get("properties") or {}).items():
        part = f"properties[{name}]"
        if name not in known:
            yield required(f"{path}.{part}", f"because it is defined in {at}.{part}")
        else:
            yield from _check_complete_nested(below, known[name], f"{path}.{part}", f"{at}.{part}")
