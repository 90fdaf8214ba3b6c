"""How large values that meet a structural schema can be, in their elements and, as JSON, in bytes.

Where the schema does not say (`maxItems`, `maxProperties`, `maxLength`) it is what fits into one request. Source:
k8s.io/apiserver `pkg/cel/common/schemas.go` and `pkg/cel/limits.go`. Neighbour: `schema_types` (the types).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.engine.cel.contract import Structural
from skerry.engine.cel.names import unescaped
from skerry.engine.cel.schema_types import rooted

REQUEST = 3 * 1024 * 1024
"""Bytes of the largest request."""
_LONGEST = {"duration": 32, "date": 12, "date-time": 32}
_SHORTEST = {"duration": 3, "date": 12, "date-time": 21}
_SCALARS = {"boolean": 4, "number": 1, "integer": 1}

Schema = Mapping[str, Any]


def schema_at(of: Structural, path: Sequence[str]) -> Schema | None:
    """The schema of what a path leads to, None when nothing is known there. Its first part is the variable."""
    current: Schema | None = rooted(of.schema) if of.resource else of.schema
    for part in path[1:]:
        if current is None:
            return None
        if part in ("@items", "@values"):
            current = element_of(current)
        elif part == "@keys":
            current = {"type": "string", "maxLength": 0} if _is_map(current) else None
        else:
            current = _exposed((_with_identity(current).get("properties") or {}).get(unescaped(part)))
    return current


def element_of(schema: Schema) -> Schema | None:
    """The schema of a list's items or a map's values."""
    return _exposed(schema.get("items") if schema.get("type") == "array" else schema.get("additionalProperties"))


def most_elements(schema: Schema) -> int:
    """Items, entries or bytes of text a value can have; 0 for what has none of them."""
    if schema.get("x-kubernetes-int-or-string"):
        return _longest_text(schema)
    kind = schema.get("type")
    if kind == "array":
        return _limit(schema, "maxItems", (REQUEST - 2) // (_smallest_element(schema) + 1))
    if _is_map(schema):
        return _limit(schema, "maxProperties", (REQUEST - 2) // (_smallest_element(schema) + 6))
    return _longest_text(schema) if kind == "string" else 0


def smallest_json(schema: Schema) -> int:
    """Bytes of the shortest JSON a value can have."""
    kind = schema.get("type", "")
    if schema.get("x-kubernetes-int-or-string"):
        return 1
    if kind == "string":
        return _SHORTEST.get(schema.get("format", ""), 2)
    if kind != "object" or _is_map(schema):
        return _SCALARS.get(kind, 2)
    size, required = 2, schema.get("required") or ()
    for name, below in (_with_identity(schema).get("properties") or {}).items():
        if name in required and below.get("default") is None and _exposed(below) is not None:
            size += len(name) + smallest_json(below) + 4
    return size


def most_values(schema: Schema) -> int:
    """How often a value of this schema can be in one request at all."""
    return REQUEST // (smallest_json(schema) + 1)


def _with_identity(schema: Schema) -> Schema:
    return rooted(schema) if schema.get("x-kubernetes-embedded-resource") else schema


def _exposed(schema: Any) -> Schema | None:
    """A schema, if expressions can see what it describes: its type must be known."""
    known = isinstance(schema, Mapping) and (schema.get("type") or schema.get("x-kubernetes-int-or-string"))
    return schema if known else None


def _is_map(schema: Schema) -> bool:
    return schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping)


def _smallest_element(schema: Schema) -> int:
    element = element_of(schema)
    return 2 if element is None else smallest_json(element)


def _limit(schema: Schema, name: str, otherwise: int) -> int:
    given = schema.get(name)
    return otherwise if given is None else max(int(given), 0)


def _longest_text(schema: Schema) -> int:
    """In bytes; lengths are said in characters of up to four."""
    form, longest = schema.get("format", ""), schema.get("maxLength")
    if form in _LONGEST and not schema.get("x-kubernetes-int-or-string"):
        return _LONGEST[form]
    if longest is not None:
        return max(int(longest), 0) * (1 if form == "byte" else 4)
    texts = [each for each in schema.get("enum") or () if isinstance(each, str)]
    if schema.get("enum") and form != "byte" and not schema.get("x-kubernetes-int-or-string"):
        return max((len(each.encode()) for each in texts), default=0)
    return REQUEST - 2
