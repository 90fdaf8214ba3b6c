"""Values as somebody typed them: YAML that comes to a plain JSON object. Pure.

libyaml's loader calls itself for what is inside of something, and a few lines with aliases can stand for gigabytes: so
depth and aliases are looked at first, by the parser, which does neither.
"""

from __future__ import annotations

from typing import Any

import yaml

LARGEST = 256 * 1024
"""Characters."""
_DEEPEST = 50
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(Exception):
    """Why it cannot be read. `line`: where, from 1; 0 when that is not known."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


def values_of(text: str) -> dict[str, Any]:
    """The values; {} of nothing. Raises Unreadable."""
    if len(text) > LARGEST:
        raise Unreadable(f"longer than {LARGEST} characters")
    try:
        _look_first(text)
        values = yaml.load(text, Loader=_LOADER)  # noqa: S506  # it is the safe one
    except yaml.MarkedYAMLError as error:
        raise Unreadable(str(error.problem), error.problem_mark.line + 1 if error.problem_mark else 0) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(" ".join(str(error).split())[:200]) from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not _is_plain(values):
        raise Unreadable("values are names with something behind each: “name: value”; times are written in quotes")
    return values


def _look_first(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable("anchors and aliases (& and *) are not taken here", _line(event))
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise Unreadable(f"more than {_DEEPEST} things inside of each other", _line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _is_plain(value: Any) -> bool:
    """As JSON has it: no dates, no names that are no text, no numbers that are none."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_plain(one) for name, one in value.items())
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return value is None or isinstance(value, str | int)
