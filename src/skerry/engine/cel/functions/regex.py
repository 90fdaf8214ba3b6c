"""Regular expressions by RE2, as in Kubernetes: `matches`, `find`, `findAll`. RE2 never takes exponential time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.values import no_overload


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """The compiled pattern. Raises EvaluationError for what RE2 does not read."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0]
        text = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        raise EvaluationError(f"error parsing regexp: {text}") from None


def _texts(*values: Any) -> None:
    if any(type(value) is not str for value in values):
        raise no_overload()


def matches(text: str, pattern: str) -> bool:
    """Whether the pattern is found anywhere."""
    _texts(text, pattern)
    return compiled(pattern).search(text) is not None


def find(text: str, pattern: str) -> str:
    """The first match, "" when there is none."""
    _texts(text, pattern)
    match = compiled(pattern).search(text)
    return match[0] if match else ""


def find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    """All matches, or the first `limit`."""
    _texts(text, pattern)
    found: list[str] = []
    for match in compiled(pattern).finditer(text):
        if len(found) == limit:
            break
        found.append(match[0])
    return found


FUNCTIONS: dict[str, Callable[..., Any]] = {"matches": matches}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {str: {"matches": matches, "find": find, "findAll": find_all}}
