"""Server-side printing: `meta.k8s.io/v1` Tables, what `kubectl get` shows.

Source: apiserver `endpoints/handlers/response.go` and `pkg/printers`. The cells of each kind are its `Printer`'s.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from skerry.engine.schema.contract import Column, Kind, Printer
from skerry.engine.schema.printing.cells import AGE, NAME, age_of
from skerry.engine.schema.printing.printers import printer_of
from skerry.kube.errors import BadRequest
from skerry.kube.objects import Obj, name_of

_GENERIC = (NAME, AGE)


def table(
    kind: Kind, objs: Iterable[Obj], list_metadata: Obj | None, now: datetime, include_object: str = "Metadata"
) -> Obj:
    """The Table of some objects (which are not changed). `list_metadata` is the list's (or, for one object, None: its
    resourceVersion is taken). Raises BadRequest for an unknown `include_object`."""
    if include_object not in ("", "None", "Metadata", "Object"):
        raise BadRequest(f"unrecognized includeObject value: {include_object!r}")
    seconds, printer = now.timestamp(), printer_of(kind)
    listed = list(objs)
    if list_metadata is None:
        list_metadata = {"resourceVersion": listed[0]["metadata"].get("resourceVersion", "")} if listed else {}
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_metadata,
        "columnDefinitions": [_definition(column) for column in printer.columns or _GENERIC],
        "rows": [_row(printer, obj, seconds, include_object) for obj in listed],
    }


def _definition(column: Column) -> Obj:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def _row(printer: Printer, obj: Obj, now: float, include_object: str) -> Obj:
    cells: list[Any] = printer.row(obj, now) if printer.row else [name_of(obj), age_of(obj, now)]
    printed: Obj = {"cells": cells}
    if include_object == "Object":
        printed["object"] = obj
    elif include_object != "None":
        printed["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": obj.get("metadata", {}),
        }
    return printed
