"""The text of one path element: written into field sets, read from clients' sets, shown in messages, put in order.

`f:` is a field's name, `k:` the keys of a list's item, `v:` a set's value, `i:` an index (written by nobody today).
Source: structured-merge-diff `fieldpath/serialize-pe.go`, `element.go`.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from skerry.engine.schema.managed.sets import SELF, Set

_HTML = re.compile("[<>&\u2028\u2029]")
_NUMBERED = re.compile(rb'"(?:k:\{\\"[^"]*\\":|v:)-?\d')
"""In an encoded set: an element whose order is that of numbers."""
_MAX_DEPTH = 128
_ORDER = {"f": 0, "k": 1, "v": 2, "i": 3}


class MalformedSet(ValueError):
    """A client's field set that cannot be read."""


def field(name: str) -> str:
    """The element of a field or map key."""
    return f"f:{name}"


def item(keys: list[tuple[str, Any]]) -> str:
    """The element of a list's item, from its keys sorted by name."""
    return f"k:{_json(dict(keys))}"


def value(scalar: Any) -> str:
    """The element of a set's value."""
    return f"v:{_json(scalar)}"


def _json(what: Any) -> str:
    text = orjson.dumps(what).decode()
    return _HTML.sub(lambda found: f"\\u{ord(found[0]):04x}", text) if _HTML.search(text) else text


def shown(path: tuple[str, ...]) -> str:
    """A path as messages have it: `.spec.containers[name="web"].image`."""
    return "".join(_shown(key) for key in path)


def _shown(key: str) -> str:
    kind, text = key[0], key[2:]
    if kind == "f":
        return f".{text}"
    if kind == "k":
        return "[" + ",".join(f"{name}={_plain(given)}" for name, given in orjson.loads(text).items()) + "]"
    return f"[={_plain(orjson.loads(text))}]" if kind == "v" else f"[{text}]"


def _plain(given: Any) -> str:
    return orjson.dumps(given).decode()


def checked(given: Any, depth: int = 0) -> Set:
    """A set as a client wrote it, in canonical form, less elements of unknown sorts. Raises MalformedSet."""
    if not isinstance(given, dict) or depth > _MAX_DEPTH:
        raise MalformedSet("a field set must be an object")
    result: Set = {}
    for key, below in given.items():
        if key == SELF:
            result[SELF] = {}
        elif (known := _checked_key(key)) is not None:
            result[known] = checked(below, depth + 1)
    return {} if result.keys() == {SELF} else result


def _checked_key(key: str) -> str | None:
    if len(key) < 2:
        raise MalformedSet("key must be 2 characters long:")
    if key[1] != ":":
        raise MalformedSet(f"missing colon: {key}")
    kind, text = key[0], key[2:]
    if kind not in _ORDER:
        return None
    try:
        if kind == "k":
            return item(sorted(dict(orjson.loads(text)).items()))
        if kind == "v":
            return value(orjson.loads(text))
        return f"i:{int(text)}" if kind == "i" else key
    except (ValueError, TypeError) as error:
        raise MalformedSet(f"{key}: {error}") from None


def ordered(fields: Set) -> Set:
    """A copy with its elements in order, as they are written."""
    encoded = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    result: Set = orjson.loads(encoded)
    return _by_number(result) if _NUMBERED.search(encoded) else result


def _by_number(fields: Set) -> Set:
    """The same in the order of numbers; given in that of texts, and not to be used again."""
    for key, below in fields.items():
        if below:
            fields[key] = _by_number(below)
    if sum(key[0] in "kvi" for key in fields) < 2:  # texts have one order: that of most levels
        return fields
    return {key: fields[key] for key in sorted(fields, key=_order)}


def _order(key: str) -> tuple[Any, ...]:
    """Sorts "." first, then as `PathElement.Compare`: names, keys, values; numbers before texts, as values."""
    if key == SELF:
        return (-1,)
    kind, text = key[0], key[2:]
    if kind == "k":
        parts = orjson.loads(text).items()
        return (1, *((name, *_rank(given)) for name, given in parts))
    return (_ORDER[kind], _rank(orjson.loads(text)) if kind in "vi" else text)


def _rank(scalar: Any) -> tuple[int, Any]:
    if isinstance(scalar, bool):
        return (2, scalar)
    if isinstance(scalar, int | float):
        return (0, scalar)
    return (1, scalar) if isinstance(scalar, str) else (3, str(scalar))
