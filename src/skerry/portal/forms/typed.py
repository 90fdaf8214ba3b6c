"""Values as somebody typed them: YAML that comes to what JSON has. Pure."""

from __future__ import annotations

from typing import Any

import yaml

from skerry.kube.yaml_looking import look_first

LARGEST = 256 * 1024
"""Characters."""
_DEEPEST = 50
_SMALLEST_NUMBER, _LARGEST_NUMBER = -(2**63), 2**64 - 1
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """Why it cannot be read. `line`: where, from 1; 0 when that is not known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


def parsed(text: str) -> Any:
    """What it comes to; None of nothing. Raises Unreadable."""
    if len(text) > LARGEST:
        raise Unreadable(f"longer than {LARGEST} characters")
    try:
        look_first(text, aliases=False, deepest=_DEEPEST)
        value = yaml.load(text, Loader=_LOADER)  # noqa: S506  # it is the safe one
    except yaml.MarkedYAMLError as error:
        raise Unreadable(str(error.problem), error.problem_mark.line + 1 if error.problem_mark else 0) from None
    except (yaml.YAMLError, ValueError) as error:
        raise Unreadable(" ".join(str(error).split())[:200]) from None
    if not is_plain(value):
        raise Unreadable(
            "values are “name: value”: names are text, numbers have at most 64 bits, times are written in quotes"
        )
    return value


def values_of(text: str) -> dict[str, Any]:
    """The values; {} of nothing. Raises Unreadable."""
    values = parsed(text)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise Unreadable("values are names with something behind each: “name: value”")
    return values


def is_plain(value: Any) -> bool:
    """As JSON has it: no dates, no names that are no text, no numbers that are none or that no computer has."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and is_plain(one) for name, one in value.items())
    if isinstance(value, list):
        return all(is_plain(one) for one in value)
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if isinstance(value, int):
        return _SMALLEST_NUMBER <= value <= _LARGEST_NUMBER
    return value is None or isinstance(value, str)
