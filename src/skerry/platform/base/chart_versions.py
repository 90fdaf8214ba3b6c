"""Versions of charts: their order, and which of them a range means. Pure.

A range is what Chart.yaml's dependencies have: `1`, `~1.2`, `^1.2.3`, `>=1 <3`, `1.x || 3.x`, `1.2 - 1.4`; "" is the
newest that is no pre-release. Pre-releases count only where the range names one.
Source: semver.org; helm.sh, "Chart dependencies" (Masterminds/semver, "Checking Version Constraints").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from skerry.kube.records import record

_Numbers: TypeAlias = tuple[int, int, int]
_Pre: TypeAlias = tuple[int, tuple[tuple[int, int, str], ...]]
Key: TypeAlias = tuple[_Numbers, _Pre]
_LONGEST = 200
_NUMBER = r"0|[1-9]\d{0,17}"
_TAIL = r"(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
_VERSION = re.compile(rf"v?({_NUMBER})(?:\.({_NUMBER}))?(?:\.({_NUMBER}))?{_TAIL}")
_PART = rf"{_NUMBER}|[xX*]"
_WORD = re.compile(
    rf"\s*(?P<sign>!=|>=|=>|<=|=<|~>|[=<>~^])?\s*v?(?P<a>{_PART})(?:\.(?P<b>{_PART}))?(?:\.(?P<c>{_PART}))?{_TAIL}[\s,]*"
)
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")
_RELEASED: _Pre = (1, ())


class BadRange(ValueError):
    """It is no range of versions; the text says what is wrong."""


@record
class _Comparator:
    matches: Callable[[Key], bool]
    names_pre_release: bool


def key_of_version(version: str) -> Key | None:
    """What versions are ordered by; None for what is no version."""
    found = _VERSION.fullmatch(version) if len(version) <= _LONGEST else None
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.group(1, 2, 3))
    return (major, minor, patch), _pre_of(found["pre"])


def newest_first(versions: Iterable[str]) -> list[str]:
    """Those that are versions, each once."""
    keyed = {one: key for one in versions if (key := key_of_version(one)) is not None}
    return sorted(keyed, key=lambda one: (keyed[one], one), reverse=True)


def best_version(wanted: str, versions: Iterable[str]) -> str | None:
    """The newest that `wanted` means; None when there is none. Raises BadRange."""
    there = list(versions)
    if wanted in there:
        return wanted
    return next(iter(matching_versions(wanted, there)), None)


def leading_version(versions: Iterable[str]) -> str | None:
    """The one that a chart is described by: the newest release, else the newest."""
    there = newest_first(versions)
    return next((one for one in there if _is_release(one)), next(iter(there), None))


def _is_release(version: str) -> bool:
    key = key_of_version(version)
    return key is not None and key[1] == _RELEASED


def matching_versions(wanted: str, versions: Iterable[str]) -> list[str]:
    """All that `wanted` means, newest first. Raises BadRange."""
    groups = [_group(one) for one in (wanted.strip() or "*").split("||")]
    ordered = [(one, key_of_version(one)) for one in newest_first(versions)]
    return [one for one, key in ordered if key is not None and any(_fits(group, key) for group in groups)]


def _fits(group: Sequence[_Comparator], key: Key) -> bool:
    if key[1] != _RELEASED and not any(one.names_pre_release for one in group):
        return False
    return all(one.matches(key) for one in group)


def _group(text: str) -> list[_Comparator]:
    """What all must hold, between two `||`."""
    if len(text) > _LONGEST:
        raise BadRange("the range of versions is too long")
    text, found, at = _HYPHEN.sub(r">=\1 <=\2", text.strip()), [], 0
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None:
            raise BadRange(f"{text!r} is no range of versions, such as 1.2, ^1.2 or >=1 <3")
        found.append(_comparator(word))
        at = word.end()
    if not found:
        raise BadRange("a range of versions has an empty part")
    return found


def _comparator(word: re.Match[str]) -> _Comparator:
    parts: list[int] = []
    for part in word.group("a", "b", "c"):
        if part is None or part in "xX*":
            break
        parts.append(int(part))
    pre = _pre_of(word["pre"]) if len(parts) == 3 else _RELEASED
    sign = {"=>": ">=", "=<": "<=", "~>": "~", None: "="}.get(word["sign"], word["sign"])
    return _Comparator(_predicate(sign, parts, pre), pre != _RELEASED)


def _predicate(sign: str, parts: Sequence[int], pre: _Pre) -> Callable[[Key], bool]:
    """`parts`: what is written of a version; what is not may be anything."""
    low: Key = (_filled(parts), pre)
    after = _after(parts)
    match sign:
        case "<":
            return lambda key: key < low
        case ">=":
            return lambda key: key >= low
        case ">" if len(parts) == 3:
            return lambda key: key > low
        case ">":
            return lambda key: after is not None and key >= after
        case "<=" if len(parts) == 3:
            return lambda key: key <= low
        case "<=":
            return lambda key: after is None or key < after
        case "!=":
            return lambda key: not _within(key, low, _end_of_equal(parts, after), exact=len(parts) == 3)
        case "~":
            return lambda key: _within(key, low, _after(parts[:2]), exact=False)
        case "^":
            return lambda key: _within(key, low, _after(_caret(parts)), exact=False)
    return lambda key: _within(key, low, _end_of_equal(parts, after), exact=len(parts) == 3)


def _end_of_equal(parts: Sequence[int], after: Key | None) -> Key | None:
    return None if len(parts) == 3 else after


def _within(key: Key, low: Key, end: Key | None, *, exact: bool) -> bool:
    if exact:
        return key == low
    return key >= low and (end is None or key < end)


def _caret(parts: Sequence[int]) -> Sequence[int]:
    """Up to the first number that is not 0: that one may not change."""
    for at, number in enumerate(parts):
        if number:
            return parts[: at + 1]
    return parts


def _after(parts: Sequence[int]) -> Key | None:
    """The first version after all that begin so; None when everything does."""
    if not parts:
        return None
    return _filled([*parts[:-1], parts[-1] + 1]), (0, ())


def _filled(parts: Sequence[int]) -> _Numbers:
    major, minor, patch = [*parts, 0, 0, 0][:3]
    return major, minor, patch


def _pre_of(text: str | None) -> _Pre:
    """Numbers before words, each by its own order; a release is after its pre-releases."""
    if not text:
        return _RELEASED
    words = (one for one in text.split("."))
    return 0, tuple((0, int(one), "") if one.isdecimal() else (1, 0, one) for one in words)
