"""How full a volume is, and when that is worth an event: at 80, 90 and 100 %, once per crossing. Pure.

A level is left only when the volume is 5 points below it, so that one that goes up and down about 80 % is told of once.
"""

from __future__ import annotations

import math

from skerry.engine.storage.contract import Usage
from skerry.kube.records import record
from skerry.kube.sizes import size_text

LEVELS = (80, 90, 100)
_SLACK = 5.0
_FULL = 99.5
"""Per cent from which nothing of use fits any more."""
_CRUMBS = 2**20
"""Bytes that count as none: XFS keeps some for itself that it shows as available, which is much of a small volume."""


@record
class Filling:
    """Per cent of bytes and of inodes in use; None where it is unknown or without a bound."""

    bytes: float | None
    inodes: float | None


def filling(usage: Usage) -> Filling:
    """As df(1) has it: of what users can have, without what is reserved."""
    whole = _whole(usage.used, usage.available, usage.capacity)
    if usage.available is not None and whole and usage.available < _CRUMBS <= whole // 16:
        share: float | None = 100.0
    else:
        share = _share(usage.used, whole)
    return Filling(
        share,
        _share(usage.inodes_used, _whole(usage.inodes_used, usage.inodes_free, usage.inodes)),
    )


def level_of(percent: float | None, before: int) -> int:
    """The level a volume is at, 0 below the first, when it was at `before` the last time."""
    if percent is None:
        return before
    reached = [level for level in LEVELS if percent >= min(level, _FULL)]
    held = [level for level in LEVELS if level <= before and percent >= min(level, _FULL) - _SLACK]
    return max([0, *reached, *held])


def sentence(usage: Usage, *, of: str) -> str:
    """How full it is, for an event. `of`: "bytes" or "inodes"."""
    known = filling(usage)
    if of == "inodes":
        left = f", {usage.inodes_free} left" if usage.inodes_free is not None else ""
        return f"{_percent(known.inodes)} of its inodes are used: {usage.inodes_used} files and directories{left}"
    left = f", {size_text(usage.available)} left" if usage.available is not None else ""
    whole = _whole(usage.used, usage.available, usage.capacity)
    return f"{_percent(known.bytes)} full: {size_text(usage.used)} of {size_text(whole)} used{left}"


def larger(size: int) -> str:
    """A size to ask for when `size` bytes are not enough: half as much again, in round units."""
    unit, suffix = (2**30, "Gi") if size >= 4 * 2**30 else (2**20, "Mi")
    return f"{math.ceil(size * 1.5 / unit)}{suffix}"


def _whole(used: int | None, free: int | None, capacity: int | None) -> int | None:
    return used + free if used is not None and free is not None else capacity


def _share(used: int | None, whole: int | None) -> float | None:
    return 100.0 * used / whole if used is not None and whole else None


def _percent(share: float | None) -> str:
    return f"{math.floor(share)} %" if share is not None else "?"
