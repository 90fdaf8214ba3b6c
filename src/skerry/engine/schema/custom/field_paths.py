"""`fieldPath` of a CEL rule: ".spec.foo", "['a.b'].c", read by the schema. Source: `schema/cel.ValidFieldPath`."""

from __future__ import annotations

import re

from skerry.engine.schema.custom.structural import Node

_PART = re.compile(r"\.([a-zA-Z_][a-zA-Z0-9_]*(?:\\.[a-zA-Z0-9_]*)*)|\['((?:[^'\\]|\\.)*)'\]")


class FieldPathError(ValueError):
    """The path leads nowhere."""


def parse_field_path(path: str, node: Node) -> str:
    """The path as causes have it (".spec.foo", "[a.b]" for keys of maps). Raises FieldPathError."""
    at, shown = 0, ""
    where: Node | None = node
    while at < len(path):
        found = _PART.match(path, at)
        if found is None or where is None:
            raise FieldPathError(f"unexpected {path[at:]!r}")
        name = found[1] if found[1] is not None else re.sub(r"\\(.)", r"\1", found[2])
        if name in where.properties:
            where, shown = where.properties[name], f"{shown}.{name}"
        elif where.additional is not None:
            where, shown = where.additional, f"{shown}[{name}]"
        else:
            raise FieldPathError(f"does not refer to a valid field: {name}")
        at = found.end()
    return shown
