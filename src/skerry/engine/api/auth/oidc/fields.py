"""Reading nested settings strictly: every field has its type, and none is unknown. Complaints are collected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Fields:
    """One object of a configuration. `complaints` is shared by all that come of the same file."""

    def __init__(self, value: Any, path: str, complaints: list[str]) -> None:
        self.path = path
        self.complaints = complaints
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}
        self._known: set[str] = set()
        if value is not None and not isinstance(value, dict):
            complaints.append(f"{path or 'configuration'}: must be an object")

    def at(self, name: str) -> str:
        """The path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def complain(self, name: str, what: str) -> None:
        """Note what is wrong with a field."""
        self.complaints.append(f"{self.at(name)}: {what}")

    def has(self, name: str) -> bool:
        """Whether it is there."""
        return self._value.get(name) is not None

    def text(self, name: str) -> str:
        """A string, "" when absent."""
        return str(self._typed(name, str, "a string") or "")

    def flag(self, name: str) -> bool:
        """A boolean, False when absent."""
        return bool(self._typed(name, bool, "true or false"))

    def texts(self, name: str) -> list[str]:
        """A list of strings."""
        found = self._typed(name, list, "a list") or []
        if not all(isinstance(one, str) for one in found):
            self.complain(name, "must be a list of strings")
            return []
        return list(found)

    def below(self, name: str) -> Fields:
        """An object; an empty one when absent."""
        self._known.add(name)
        return Fields(self._value.get(name), self.at(name), self.complaints)

    def each(self, name: str) -> Iterator[Fields]:
        """The objects of a list."""
        for index, one in enumerate(self._typed(name, list, "a list") or []):
            yield Fields(one if one is not None else {}, f"{self.at(name)}[{index}]", self.complaints)

    def done(self) -> None:
        """Complain about fields nobody asked for."""
        for name in sorted(set(self._value) - self._known):
            self.complaints.append(f'unknown field "{self.at(str(name))}"')

    def _typed(self, name: str, kind: type, noun: str) -> Any:
        self._known.add(name)
        value = self._value.get(name)
        if value is not None and not isinstance(value, kind):
            self.complain(name, f"must be {noun}")
            return None
        return value
