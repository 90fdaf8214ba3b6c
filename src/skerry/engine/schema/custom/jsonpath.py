"""The JSONPath of Kubernetes, as far as columns, scale paths and selectable fields use it.

Libraries speak RFC 9535, which has neither paths that begin with a dot nor escaped dots in names
(`.metadata.labels.example\\.com/team`). Source: client-go `util/jsonpath` (names, quoted names, indices, slices, `*`,
`..`, filters that compare). Missing keys find nothing. Neighbours: `columns`, `definition`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

Step = Callable[[Any], Iterator[Any]]
_NAME = re.compile(r"((?:\\.|[^.\[\]\\\s])+)")
_QUOTED = re.compile(r"""\[\s*(?:'((?:\\.|[^'])*)'|"((?:\\.|[^"])*)")\s*\]""")
_INDEX = re.compile(r"\[\s*(-?\d+)\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(\d*)\s*)?\]")
_STAR = re.compile(r"\[\s*\*\s*\]|\*")
_FILTER = re.compile(r"""\[\s*\?\(\s*@([^=<>!\s)]*)\s*(?:(==|!=|<=|>=|<|>)\s*('[^']*'|"[^"]*"|[^\s)]+)\s*)?\)\s*\]""")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class JsonPath:
    """A compiled path. Raises ValueError for one that cannot be read."""

    def __init__(self, text: str) -> None:
        self._steps = list(_steps(text.strip()))

    def find(self, value: Any) -> list[Any]:
        """What is there, in order; [] for nothing."""
        found = [value]
        for step in self._steps:
            found = [each for one in found for each in step(one)]
        return found


def _steps(text: str) -> Iterator[Step]:
    at = 1 if text.startswith("$") else 0
    while at < len(text):
        if text.startswith("..", at):
            yield _descend
            at += 2
            if text.startswith("[", at):
                continue
        elif text[at] == ".":
            at += 1
            if at == len(text):
                return
        step, at = _step(text, at)
        yield step


def _step(text: str, at: int) -> tuple[Step, int]:
    for pattern, make in _FORMS:
        if found := pattern.match(text, at):
            return make(found), found.end()
    raise ValueError(f"unrecognized JSONPath {text!r} at {text[at:]!r}")


def _descend(value: Any) -> Iterator[Any]:
    yield value
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in below:
        yield from _descend(each)


def _key(name: str) -> Step:
    name = re.sub(r"\\(.)", r"\1", name)

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(found: re.Match[str]) -> Step:
    index = int(found[1])

    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _slice(found: re.Match[str]) -> Step:
    part = slice(*(int(each) if each else None for each in found.groups()))
    return lambda value: iter(value[part] if isinstance(value, list) else ())


def _star(_: re.Match[str]) -> Step:
    return lambda value: iter(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())


def _filter(found: re.Match[str]) -> Step:
    path, sign, wanted = JsonPath(found[1]), found[2], _literal(found[3] or "")

    def keeps(item: Any) -> bool:
        values = path.find(item)
        if not values or sign is None:
            return bool(values)
        try:
            return _COMPARE[sign](values[0], wanted)
        except TypeError:
            return sign == "!="

    return lambda value: (item for item in value if keeps(item)) if isinstance(value, list) else iter(())


def _literal(text: str) -> Any:
    if text[:1] in ("'", '"'):
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Step]], ...] = (
    (_QUOTED, lambda found: _key(found[1] if found[1] is not None else found[2])),
    (_INDEX, _index),
    (_STAR, _star),
    (_FILTER, _filter),
    (_SLICE, _slice),
    (_NAME, lambda found: _key(found[1])),
)
