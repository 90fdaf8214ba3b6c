"""Reading a field: `a.b`, `a.?b`, `has(a.b)`; of an optional it gives an optional. A field may be written escaped."""

from __future__ import annotations

from typing import Any

from skerry.engine.cel.coercion import Coercion
from skerry.engine.cel.frames import Frame, Step
from skerry.engine.cel.values import NONE, Optional, no_overload, no_such_key


def presence(operand: Step, field: str, raw: str) -> Step:
    def test(frame: Frame) -> bool:
        value = operand(frame)
        if type(value) is Optional:
            value = value.value if value.present else {}
        if type(value) is dict:
            return field in value or raw in value
        raise no_overload()

    return test


def selection(operand: Step, field: str, raw: str, coerce: Coercion | None) -> Step:
    def select(frame: Frame) -> Any:
        frame.meter.charge(1)
        value = operand(frame)
        if type(value) is dict:
            if field in value:
                found = value[field]
            elif raw in value:
                found = value[raw]
            else:
                raise no_such_key(raw)
        else:
            found = _select_optional(value, field, raw)
        return found if coerce is None else coerce(found)

    return select


def _select_optional(value: Any, field: str, raw: str) -> Optional:
    if type(value) is not Optional:
        raise no_overload()
    inner = value.value if value.present else {}
    if type(inner) is not dict:
        raise no_overload()
    return Optional(inner[field]) if field in inner else Optional(inner[raw]) if raw in inner else NONE


def optional_selection(operand: Step, field: str, raw: str) -> Step:
    def select(frame: Frame) -> Optional:
        frame.meter.charge(1)
        value = operand(frame)
        return _select_optional(value if type(value) is Optional else Optional(value), field, raw)

    return select
