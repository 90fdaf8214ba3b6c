"""Checks on numbers and strings, made from a schema. Source: kube-openapi `validate/{values,validator,formats}.go`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.schema.custom.complaints import invalid, number, too_long, wrong_type
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

Check = Callable[[str, Any], Cause | None]
_LIMITS = {"int32": 2**31, "int64": 2**63}
_LARGEST_FLOAT = 3.4028234663852886e38


def type_name(value: Any) -> tuple[str, str]:
    """The JSON type of a value and the format Go gives it."""
    names = {bool: ("boolean", ""), str: ("string", ""), int: ("integer", "int64"), float: ("number", "float64")}
    found = names.get(type(value))
    if found is not None:
        return found
    return ("array", "") if isinstance(value, list) else ("object", "")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text contains a match. Patterns are Go's (RE2), and so is their engine: linear in time, as untrusted
    patterns need it. Raises ValueError with what is wrong with the pattern."""
    import re2  # for those who use patterns

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(_reason(error)) from None
    return lambda text: compiled.search(text) is not None


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode() if isinstance(said, bytes) else str(said)


def string_checks(schema: Obj, form: str) -> tuple[list[Check], Check | None]:
    """Length and pattern, of which the first complaint counts; and the format's."""
    checks: list[Check] = []
    if (most := schema.get("maxLength")) is not None:
        checks.append(lambda path, text: too_long(path, most) if len(text) > most else None)
    if (least := schema.get("minLength")) is not None:
        checks.append(lambda path, text: _too_short(path, text, least))
    if pattern := schema.get("pattern"):
        checks.append(_pattern_check(pattern))
    return ([_first(checks)] if len(checks) > 1 else checks), _format_check(form)


def _first(checks: list[Check]) -> Check:
    return lambda path, text: next((cause for check in checks if (cause := check(path, text)) is not None), None)


def _too_short(path: str, text: str, least: int) -> Cause | None:
    if len(text) >= least:
        return None
    return invalid(path, text, f"{path} in body should be at least {least} chars long")


def _pattern_check(pattern: str) -> Check:
    made: list[Callable[[str], bool]] = []

    def check(path: str, text: str) -> Cause | None:
        if not made:
            made.append(matcher(pattern))
        return None if made[0](text) else invalid(path, text, f"{path} in body should match '{pattern}'")

    return check


def _format_check(form: str) -> Check | None:
    if not form:
        return None
    from skerry.engine.schema.custom.formats import CHECKS

    valid = CHECKS.get(form.replace("-", ""))
    if valid is None:
        return None

    def check(path: str, text: str) -> Cause | None:
        if valid(text):
            return None
        return wrong_type(path, form, text)

    return check


def number_checks(schema: Obj, kind: str, form: str) -> list[Check]:
    """Range of the type, multiples, bounds."""
    checks: list[Check] = []
    if kind == "integer" or form:
        checks.append(lambda path, value: _out_of_range(path, value, kind, form))
    if (factor := schema.get("multipleOf")) is not None:
        checks.append(lambda path, value: _not_multiple(path, value, factor))
    if (most := schema.get("maximum")) is not None:
        checks.append(_bound(most, bool(schema.get("exclusiveMaximum")), upper=True))
    if (least := schema.get("minimum")) is not None:
        checks.append(_bound(least, bool(schema.get("exclusiveMinimum")), upper=False))
    return checks


def _out_of_range(path: str, value: float, kind: str, form: str) -> Cause | None:
    if kind == "integer":
        limit = _LIMITS.get(form, _LIMITS["int64"])
        if -limit <= value < limit:
            return None
    elif form != "float" or abs(value) <= _LARGEST_FLOAT:
        return None
    with_format = f" with format {form}" if form else f" (default format) in {path}"
    where = f" in {path}" if form else ""
    return invalid("", "", f"Checked value must be of type {kind}{with_format}{where}")


def _not_multiple(path: str, value: float, factor: float) -> Cause | None:
    ratio = value / factor if factor >= 1 else 1 / factor * value
    if abs(ratio - round(ratio)) < 1e-9:
        return None
    return invalid(path, value, f"{path} in body should be a multiple of {number(factor)}")


def _bound(limit: float, exclusive: bool, *, upper: bool) -> Check:
    words = "less" if upper else "greater"
    words = f"{words} than" if exclusive else f"{words} than or equal to"

    def check(path: str, value: float) -> Cause | None:
        beyond = value > limit if upper else value < limit
        if not beyond and not (exclusive and value == limit):
            return None
        return invalid(path, value, f"{path} in body should be {words} {number(limit)}")

    return check
