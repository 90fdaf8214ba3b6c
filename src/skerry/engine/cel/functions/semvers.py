"""Semantic versions: `semver("1.2.3")`, comparison, parts. Source: apiserver `pkg/cel/library/semverlib.go`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from skerry.engine.cel.contract import EvaluationError
from skerry.engine.cel.values import no_overload
from skerry.kube.records import record

_NUMBER = r"(0|[1-9]\d*)"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)
_LEADING_ZEROS = re.compile(r"(^|\.)0+(?=\d)")


@record
class Semver:
    """A version; what follows `+` does not count."""

    CEL_TYPE: ClassVar[str] = "kubernetes.Semver"
    numbers: tuple[int, int, int]
    before: tuple[tuple[bool, int, str], ...] = ()
    """The pre-release identifiers: whether it is text, the number, the text."""

    @property
    def order(self) -> tuple[tuple[int, int, int], bool, tuple[tuple[bool, int, str], ...]]:
        """What versions are ordered by: a release comes after its pre-releases."""
        return self.numbers, not self.before, self.before


def semver(text: str, normalize: bool = False) -> Semver:
    """Parse; with `normalize` a leading "v", missing parts and leading zeros are forgiven. Raises EvaluationError."""
    if type(text) is not str or type(normalize) is not bool:
        raise no_overload()
    match = _VERSION.fullmatch(_normalized(text) if normalize else text)
    parts = match[4].split(".") if match and match[4] else []
    if match is None or any(part.isdecimal() and part != "0" and part[0] == "0" for part in parts):
        raise EvaluationError(f"invalid semantic version: {text!r}")
    before = tuple((not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts)
    return Semver((int(match[1]), int(match[2]), int(match[3])), before)


def _normalized(text: str) -> str:
    bare = text.removeprefix("v")
    core = re.split(r"[-+]", bare, maxsplit=1)[0]
    rest = bare[len(core) :]
    return _LEADING_ZEROS.sub(r"\1", core) + ".0" * max(0, 2 - core.count(".")) + rest


def is_semver(text: str, normalize: bool = False) -> bool:
    """Whether `semver` would take it."""
    if type(text) is not str or type(normalize) is not bool:
        raise no_overload()
    try:
        semver(text, normalize)
    except EvaluationError:
        return False
    return True


def _other(value: Any) -> Semver:
    if not isinstance(value, Semver):
        raise no_overload()
    return value


FUNCTIONS: dict[str, Callable[..., Any]] = {"semver": semver, "isSemver": is_semver}
METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    Semver: {
        "major": lambda value: value.numbers[0],
        "minor": lambda value: value.numbers[1],
        "patch": lambda value: value.numbers[2],
        "isGreaterThan": lambda value, other: value.order > _other(other).order,
        "isLessThan": lambda value, other: value.order < _other(other).order,
        "compareTo": lambda value, other: (value.order > _other(other).order) - (value.order < _other(other).order),
    }
}
