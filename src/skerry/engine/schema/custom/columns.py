"""Printed columns of a custom resource: `additionalPrinterColumns`, or its age where it declares none.

Source: `pkg/registry/customresource/tableconvertor`. Neighbours: `jsonpath`, `schema.table`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from skerry.engine.schema.contract import Column, Printer
from skerry.engine.schema.custom.jsonpath import JsonPath
from skerry.engine.schema.printing.cells import UNKNOWN, human_duration
from skerry.kube.clock import parse_time
from skerry.kube.objects import Obj, name_of

_NAME = "Name must be unique within a namespace."
_AGE: Obj = {
    "name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp",
    "description": "CreationTimestamp is a timestamp representing the server time when this object was created.",
}  # fmt: skip


def printer_for(columns: list[Obj]) -> Printer:
    """The printer of one version's columns."""
    declared = columns or [_AGE]
    readers: list[Callable[[Obj, float], Any]] = []

    def row(obj: Obj, now: float) -> list[Any]:
        if not readers:  # paths are read when somebody first looks
            readers.extend(_reader(column) for column in declared)
        return [name_of(obj), *(read(obj, now) for read in readers)]

    name = Column("Name", format="name", description=_NAME)
    return Printer((name, *(_column(column) for column in declared)), row)


def _column(column: Obj) -> Column:
    described = column.get("description") or (
        f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    )
    return Column(column["name"], column["type"], column.get("format", ""), described, column.get("priority", 0))


def _reader(column: Obj) -> Callable[[Obj, float], Any]:
    kind = column["type"]
    try:
        path = JsonPath(column["jsonPath"])
    except ValueError:
        return lambda obj, now: None

    def read(obj: Obj, now: float) -> Any:
        found = path.find(obj)
        return cell(kind, found[0], now) if found and found[0] is not None else None

    return read


def cell(kind: str, value: Any, now: float) -> Any:
    """A value as a column of a type shows it; None (shown as nothing) where it is of another type."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "integer":
            return int(value) if number else None
        case "number":
            return float(value) if number else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return _ago(value, now) if isinstance(value, str) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _ago(value: str, now: float) -> str:
    if not value:
        return UNKNOWN
    try:
        return human_duration(now - parse_time(value).timestamp())
    except ValueError:
        return "<invalid>"
