"""Parts of timestamps and durations: `getFullYear`, `getHours` ... Source: cel.dev, "List of Standard Definitions"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from skerry.engine.cel.contract import EvaluationError

_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def _zone(name: str) -> tzinfo:
    match = _OFFSET.fullmatch(name)
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EvaluationError(f"unknown time zone {name}") from None


def _part(read: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda value, zone=None: read(value.astimezone(UTC if zone is None else _zone(zone)))


def _whole(unit: timedelta) -> Callable[[timedelta], int]:
    def count(value: timedelta) -> int:
        whole = abs(value) // unit
        return whole if value >= timedelta() else -whole

    return count


METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    datetime: {
        "getFullYear": _part(lambda at: at.year),
        "getMonth": _part(lambda at: at.month - 1),
        "getDate": _part(lambda at: at.day),
        "getDayOfMonth": _part(lambda at: at.day - 1),
        "getDayOfWeek": _part(lambda at: at.isoweekday() % 7),
        "getDayOfYear": _part(lambda at: at.timetuple().tm_yday - 1),
        "getHours": _part(lambda at: at.hour),
        "getMinutes": _part(lambda at: at.minute),
        "getSeconds": _part(lambda at: at.second),
        "getMilliseconds": _part(lambda at: at.microsecond // 1000),
    },
    timedelta: {
        "getHours": _whole(timedelta(hours=1)),
        "getMinutes": _whole(timedelta(minutes=1)),
        "getSeconds": _whole(timedelta(seconds=1)),
        "getMilliseconds": lambda value: value.microseconds // 1000,
    },
}
