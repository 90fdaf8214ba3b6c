"""Values from a filled-in form: what differs from the chart's defaults, so that those of a newer chart still count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skerry.kube.records import record
from skerry.kube.yaml_writing import write_yaml
from skerry.portal.forms.fields import Field, Path, leaves
from skerry.portal.forms.typed import Unreadable, is_plain, parsed
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import Fields

EXTRA = "extra"
"""The input for values that the schema does not speak of, YAML."""
_NO_NUMBER = N_("A number is wanted here.")
_NO_PAIR = N_("One per line, as NAME=value.")
_NO_YAML = N_("This is no YAML: %(why)s")
_NO_MAPPING = N_("Values have names: write them as name: value.")


@record
class Problem:
    """What is wrong with one field. `text`: marked by `N_`, with `values`."""

    path: Path
    text: str
    values: Mapping[str, str]


class _Wrong(ValueError):
    def __init__(self, text: str, **values: str) -> None:
        super().__init__(text)
        self.text, self.values = text, values


@record
class Filled:
    """What a form came to."""

    values: dict[str, Any]
    problems: Sequence[Problem]


def read(fields: Sequence[Field], submitted: Fields) -> Filled:
    """`fields`: of the chart. What was not submitted at all is as the chart has it."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for one in leaves(fields):
        try:
            value = _value_of(one, submitted)
        except _Wrong as wrong:
            problems.append(Problem(one.path, wrong.text, wrong.values))
            continue
        if value is not _UNTOUCHED and value != one.default:
            _put(values, one.path, value)
    try:
        _merge(values, _extra(submitted))
    except _Wrong as wrong:
        problems.append(Problem((EXTRA,), wrong.text, wrong.values))
    return Filled(values, problems)


_UNTOUCHED = object()


def _value_of(one: Field, submitted: Fields) -> Any:
    if one.name not in submitted:
        return _UNTOUCHED
    written = submitted.all(one.name)[-1].replace("\r\n", "\n")
    match one.kind:
        case "tick":
            return written == "on"
        case "number":
            return _number(one, written.strip())
        case "choice":
            return next((option for option in one.options if text_of(option) == written), _UNTOUCHED)
        case "list":
            return [line.strip() for line in written.splitlines() if line.strip()] or (
                [] if one.default else _UNTOUCHED
            )
        case "pairs":
            return _pairs(written) or ({} if one.default else _UNTOUCHED)
        case "yaml":
            return _parsed(written) if written.strip() else _UNTOUCHED
        case "area":
            return written if written or one.default else _UNTOUCHED
    return written.strip() if written.strip() or one.default or one.required else _UNTOUCHED


def _number(one: Field, written: str) -> Any:
    if not written:
        return _UNTOUCHED
    try:
        value = int(written) if one.whole or written.lstrip("-").isdecimal() else float(written)
    except ValueError:
        raise _Wrong(_NO_NUMBER) from None
    if not is_plain(value):
        raise _Wrong(_NO_NUMBER)
    return value


def _pairs(written: str) -> dict[str, str]:
    found = {}
    for line in filter(str.strip, written.splitlines()):
        name, given, value = line.partition("=")
        if not given or not name.strip():
            raise _Wrong(_NO_PAIR)
        found[name.strip()] = value.strip()
    return found


def _parsed(text: str) -> Any:
    try:
        return parsed(text)
    except Unreadable as unreadable:
        raise _Wrong(_NO_YAML, why=str(unreadable)) from None


def _extra(submitted: Fields) -> dict[str, Any]:
    written = submitted.get(EXTRA)
    if not written:
        return {}
    values = _parsed(written)
    if not isinstance(values, dict):
        raise _Wrong(_NO_MAPPING)
    return values


def _put(values: dict[str, Any], path: Path, value: Any) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            _merge(values[name], value)
        else:
            values[name] = value


def text_of(value: object) -> str:
    """A scalar as inputs show it; anything else as nothing, whatever a chart's defaults say."""
    if value is None or isinstance(value, dict | list):
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def shown(one: Field, values: Mapping[str, Any]) -> str:
    """What an input shows: what was filled in before, or the default."""
    value: Any = values
    for part in one.path:
        value = value.get(part, _UNTOUCHED) if isinstance(value, dict) else _UNTOUCHED
    value = one.default if value is _UNTOUCHED else value
    match one.kind:
        case "list":
            return "\n".join(map(text_of, value)) if isinstance(value, list) else ""
        case "pairs":
            pairs = value.items() if isinstance(value, dict) else ()
            return "\n".join(f"{name}={text_of(what)}" for name, what in pairs)
        case "yaml":
            return written(value) if value not in (None, {}, []) else ""
    return text_of(value)


def written(value: Any) -> str:
    """As YAML."""
    return write_yaml(value).removesuffix("...\n")


def remaining(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Of given values, those that no field shows: they go to `EXTRA`."""
    known = {one.path for one in leaves(fields)}
    return _without(values, known, ())


def _without(values: Mapping[str, Any], known: set[Path], path: Path) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for name, value in values.items():
        here = (*path, name)
        if here in known:
            continue
        if isinstance(value, dict) and any(one[: len(here)] == here for one in known):
            if inner := _without(value, known, here):
                left[name] = inner
        else:
            left[name] = value
    return left
