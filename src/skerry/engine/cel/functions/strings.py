"""Strings: CEL's own (`startsWith`, `matches` ...) and the strings extension, version 2, as Kubernetes enables it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skerry.engine.cel.contract import PER_CALL_LIMIT, CostExceeded, EvaluationError
from skerry.engine.cel.values import no_overload

_QUOTED = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_QUOTED |= {"\\": "\\\\", '"': '\\"'}
_LONGEST = 10 * PER_CALL_LIMIT


def _text(value: Any) -> str:
    if type(value) is str:
        return str(value)
    raise no_overload()


def _ascii_case(table: dict[int, int]) -> Callable[[str], str]:
    return lambda text: text.translate(table)


def char_at(text: str, at: int) -> str:
    """The character at an index, "" at the very end."""
    if not 0 <= at <= len(text):
        raise EvaluationError(f"index out of range: {at}")
    return text[at : at + 1]


def index_of(text: str, part: str, start: int = 0) -> int:
    """Where `part` first is at or after `start`, -1."""
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(_text(part), start)


def last_index_of(text: str, part: str, last: int | None = None) -> int:
    """Where `part` last begins, at `last` at the latest, -1."""
    if last is None:
        return text.rfind(_text(part))
    if not 0 <= last < max(len(text), 1):
        raise EvaluationError(f"index out of range: {last}")
    return text.rfind(_text(part), 0, last + len(part))


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """All, or the first `count`, occurrences replaced."""
    times = text.count(_text(old)) if count < 0 else min(count, text.count(_text(old)))
    if times * len(_text(new)) > _LONGEST:
        raise CostExceeded("operation cancelled: actual cost limit exceeded")
    return text.replace(old, new, -1 if count < 0 else count)


def split(text: str, separator: str, count: int = -1) -> list[str]:
    """The parts between separators, at most `count`; characters when the separator is ""."""
    if count == 0:
        return []
    if separator:
        return text.split(_text(separator), count - 1 if count > 0 else -1)
    if count < 0 or count >= len(text):
        return list(text)
    return [*text[: count - 1], text[count - 1 :]]


def substring(text: str, start: int, end: int | None = None) -> str:
    """From `start` up to, not including, `end`."""
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if not 0 <= stop <= len(text):
        raise EvaluationError(f"index out of range: {stop}")
    if start > stop:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


def join(parts: list[Any], separator: str = "") -> str:
    """The strings of a list, joined."""
    texts = [_text(part) for part in parts]
    if len(texts) * len(separator) > _LONGEST:
        raise CostExceeded("operation cancelled: actual cost limit exceeded")
    return _text(separator).join(texts)


def quote(text: str) -> str:
    """The string as a CEL literal."""
    return '"' + "".join(_QUOTED.get(char, char) for char in _text(text)) + '"'


FUNCTIONS: dict[str, Callable[..., Any]] = {"strings.quote": quote}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: {
        "contains": lambda text, part: _text(part) in text,
        "startsWith": lambda text, part: text.startswith(_text(part)),
        "endsWith": lambda text, part: text.endswith(_text(part)),
        "charAt": char_at,
        "indexOf": index_of,
        "lastIndexOf": last_index_of,
        "lowerAscii": _ascii_case({code: code + 32 for code in range(ord("A"), ord("Z") + 1)}),
        "upperAscii": _ascii_case({code: code - 32 for code in range(ord("a"), ord("z") + 1)}),
        "replace": replace,
        "split": split,
        "substring": substring,
        "trim": lambda text: text.strip(),
    },
    list: {"join": join},
}
