"""Reading a document field by field: every mistake is collected with its path, as Kubernetes words them.

Neighbour: `reading`, which knows the FrontDoor. Invariant: nothing raises on a mistake; what is returned for a wrong
field is a value of the right type, and `mistakes` is not empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from skerry.kube.durations import parse_duration

_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "true or false", int: "a whole number"}


class Fields:
    """The fields of one object of the document. `mistakes` is shared by all objects of it."""

    def __init__(self, value: Any, path: str, mistakes: list[str]) -> None:
        self.path = path
        self.mistakes = mistakes
        self._known: set[str] = set()
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}
        if value is not None and not isinstance(value, dict):
            self.mistakes.append(f"{path or 'document'}: must be an object")

    def has(self, name: str) -> bool:
        """Whether the field is given (null is not)."""
        return self._value.get(name) is not None

    def wrong(self, name: str, why: str) -> None:
        """Note a mistake in the field."""
        self.mistakes.append(f"{self._at(name)}: {why}")

    def text(self, name: str, pattern: str = r"[!-~ ]+", default: str | None = None, form: str = "") -> str:
        """A string that matches `pattern` as a whole; `form` says in words what that is. Required without `default`."""
        found = self._typed(name, str, default)
        if found is None:
            return ""
        if found != default and not re.fullmatch(pattern, found):
            self.wrong(name, f"Invalid value: {json.dumps(found)}: must be {form or f'like {pattern}'}")
        return str(found)

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds. Required without `default`."""
        found = self._typed(name, int, default)
        if found is not None and not least <= found <= most:
            self.wrong(name, f"Invalid value: {found}: must be between {least} and {most}")
        return int(found or 0)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        return bool(self._typed(name, bool, default))

    def seconds(self, name: str, default: str) -> float:
        """A duration such as 500ms, 2s, 1h30m: from a millisecond to 24 days, which is what haproxy can count."""
        text = self.text(name, default=default)
        try:
            found = parse_duration(text).total_seconds()
        except ValueError:
            found = 0.0
        if not 0.001 <= found <= 24 * 86400:
            self.wrong(name, f"Invalid value: {json.dumps(text)}: must be a duration from 1ms to 576h, like 2s")
        return found

    def child(self, name: str) -> Fields:
        """The object in the field; an empty one if it is not given."""
        self._known.add(name)
        return Fields(self._value.get(name), self._at(name), self.mistakes)

    def children(self, name: str) -> Iterator[Fields]:
        """The objects of the list in the field."""
        for index, value in enumerate(self._typed(name, list, []) or []):
            yield Fields(value if value is not None else "", f"{self._at(name)}[{index}]", self.mistakes)

    def texts(self, name: str, pattern: str, form: str) -> tuple[str, ...]:
        """A list of strings that each match `pattern`."""
        found = self._typed(name, list, []) or []
        for index, value in enumerate(found):
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                self.mistakes.append(f"{self._at(name)}[{index}]: Invalid value: {json.dumps(value)}: must be {form}")
        return tuple(str(value) for value in found)

    def end(self) -> None:
        """No other fields may be there than those asked for."""
        for name in self._value:
            if name not in self._known:
                self.mistakes.append(f"{self._at(str(name))}: unknown field")

    def _typed(self, name: str, kind: type, default: Any) -> Any:
        self._known.add(name)
        found = self._value.get(name)
        if found is None:
            if default is None:
                self.wrong(name, "Required value")
            return default
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            self.wrong(name, f"must be {_KINDS[kind]}")
            return default
        return found

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name
