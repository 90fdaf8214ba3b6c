"""Complaints about values of custom resources, as go-openapi words them and Kubernetes wraps them into causes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from skerry.kube.errors import Cause

NOWHERE = "<nil>"
"""The field of complaints that Kubernetes does not tie to one."""


def place(path: str) -> str:
    """A path as a cause has it."""
    return path or NOWHERE


def number(value: float) -> str:
    """A number as Go's %v prints it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def shown(value: Any) -> str:
    """A value as causes print it."""
    if value is None:
        return '"null"'
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return orjson.dumps(value).decode()


def invalid(path: str, value: Any, detail: str, shown_value: Any = None) -> Cause:
    """`Invalid value: 5: spec.x in body should be ...`. `shown_value` is printed instead of the value, if given."""
    printed = shown(value if shown_value is None else shown_value)
    return Cause("FieldValueInvalid", f"Invalid value: {printed}: {detail}", place(path))


def wrong_type(path: str, expected: str, found: str) -> Cause:
    """`Invalid value: "string": spec.x in body must be of type integer: "string"`."""
    quoted = orjson.dumps(found).decode()
    detail = f"{path} in body must be of type {expected}: {quoted}"
    return Cause("FieldValueTypeInvalid", f"Invalid value: {quoted}: {detail}", place(path))


def required(path: str) -> Cause:
    """`Required value`."""
    return Cause("FieldValueRequired", "Required value", place(path))


def not_one_of(path: str, value: Any, allowed: Iterable[Any]) -> Cause:
    """`Unsupported value: "x": supported values: "a", "b"`, in the schema's order."""
    texts = (each if isinstance(each, str) else orjson.dumps(each).decode() for each in allowed)
    listed = ", ".join(orjson.dumps(text).decode() for text in texts)
    return Cause(
        "FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {listed}", place(path)
    )


def too_long(path: str, most: int) -> Cause:
    """`Too long: may not be more than 5 bytes`."""
    return Cause("FieldValueTooLong", f"Too long: may not be more than {most} bytes", place(path))


def too_many(path: str, count: int, most: int) -> Cause:
    """`Too many: 3: must have at most 2 items`."""
    items = "item" if most == 1 else "items"
    return Cause("FieldValueTooMany", f"Too many: {count}: must have at most {most} {items}", place(path))
