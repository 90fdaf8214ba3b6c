"""Compile errors as Kubernetes words them: the position, the reason, the line and a caret under the place.

cel-cpp's messages differ from those of cel-go, which Kubernetes uses, in few words; those are put right here.
"""

from __future__ import annotations

import re

_NOT_IN_STRUCT = re.compile(r"(undefined field '[^']*') not found in struct '[^']*'")
_NO_FIELD_OF_VARIABLES = re.compile(r"undeclared reference to 'variables\.(\w+)'(?: \(in container ''\))")
_UNDECLARED = re.compile(
    r"ERROR: <input>:(\d+):(\d+): undeclared reference to '(\w+)((?:\.\w+)*)\.\w+'(.*)\n \| (.*)\n \| \.*\^"
)


class Source:
    """An expression's text, for pointing into it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reworded(self, message: str, compiled: str = "") -> str:
        """The library's message in cel-go's words. `compiled`: the text that was compiled, when it is not this."""
        if compiled:
            for line, original in zip(compiled.split("\n"), self._text.split("\n"), strict=True):
                message = message.replace(f" | {line}\n", f" | {original}\n")
        message = _without_consequences(message)
        message = _NOT_IN_STRUCT.sub(r"\1", message)
        message = _NO_FIELD_OF_VARIABLES.sub(r"undefined field '\1'", message)
        return _UNDECLARED.sub(_first_name, message)

    def error(self, offset: int, reason: str) -> str:
        """A message of our own for a place (characters from the start)."""
        before = self._text[:offset]
        line, column = before.count("\n") + 1, offset - (before.rfind("\n") + 1)
        shown = self._text.split("\n")[line - 1]
        return f"ERROR: <input>:{line}:{column + 1}: {reason}\n | {shown}\n | {'.' * column}^"


def _without_consequences(message: str) -> str:
    """cel-cpp goes on where a part has no type because of an error before; cel-go says nothing of that."""
    errors = message.split("\nERROR: ")
    return "\nERROR: ".join([errors[0], *(error for error in errors[1:] if "'*error*'" not in error.split("\n")[0])])


def _first_name(match: re.Match[str]) -> str:
    """Of an undeclared `a.b.c` cel-go names `a`, and points at it."""
    line, column, name, more, rest, shown = match.groups()
    start = max(int(column) - len(name) - len(more), 1)
    return f"ERROR: <input>:{line}:{start}: undeclared reference to '{name}'{rest}\n | {shown}\n | {'.' * (start - 1)}^"
