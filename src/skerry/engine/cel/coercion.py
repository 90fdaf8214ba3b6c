"""Reading JSON by its declared CEL type: a date-time's string as a timestamp, a number's 1 as the double 1.0.

The checker knows every expression's type; where a variable, field or element has a type JSON lacks, its value is
converted when it is read. Neighbours: `interpreter`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeAlias

from skerry.engine.cel import checked_pb2 as pb
from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.times import parse_duration, parse_timestamp
from skerry.engine.cel.values import Optional

Coercion: TypeAlias = Callable[[Any], Any]
_INT, _DOUBLE, _BYTES, _TIMESTAMP, _DURATION = 2, 4, 6, 2, 3
"""Numbers of `PrimitiveType` and `WellKnownType` in the specification."""


def coercion_for(declared: pb.Type) -> Coercion | None:
    """How to read values of this type; None when JSON's values are right as they are."""
    kind = declared.WhichOneof("kind")
    if kind == "primitive":
        return _PRIMITIVE.get(declared.primitive)
    if kind == "well_known":
        return _WELL_KNOWN.get(declared.well_known)
    if kind == "list_type":
        return _of_list(coercion_for(declared.list_type.elem_type))
    if kind == "map_type":
        return _of_map(coercion_for(declared.map_type.value_type))
    if kind == "abstract_type" and declared.abstract_type.name == "optional_type":
        return _of_optional(coercion_for(declared.abstract_type.parameter_types[0]))
    return None


def _double(value: Any) -> Any:
    return float(value) if type(value) is int else value


def _int(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() else value


def _bytes(value: Any) -> Any:
    if type(value) is not str:
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise EvaluationError(f"illegal base64 data: {error}") from None


def _timestamp(value: Any) -> Any:
    return parse_timestamp(value) if type(value) is str else value


def _duration(value: Any) -> Any:
    return parse_duration(value) if type(value) is str else value


def _of_list(element: Coercion | None) -> Coercion | None:
    if element is None:
        return None
    return lambda value: [element(item) for item in value] if type(value) is list else value


def _of_map(element: Coercion | None) -> Coercion | None:
    if element is None:
        return None
    return lambda value: {key: element(item) for key, item in value.items()} if type(value) is dict else value


def _of_optional(inner: Coercion | None) -> Coercion | None:
    if inner is None:
        return None
    return lambda value: Optional(inner(value.value)) if type(value) is Optional and value.present else value


_PRIMITIVE: dict[int, Coercion] = {_INT: _int, _DOUBLE: _double, _BYTES: _bytes}
_WELL_KNOWN: dict[int, Coercion] = {_TIMESTAMP: _timestamp, _DURATION: _duration}
