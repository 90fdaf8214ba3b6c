"""Timestamps (RFC 3339) and durations ("1h30m") as text, as Go reads and CEL writes them; to the microsecond.

Kubernetes keeps nanoseconds; Python's `datetime` and `timedelta` do not, and no Kubernetes field needs them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from skerry.engine.cel.contract import EvaluationError
from skerry.kube import durations

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-]\d\d:\d\d))", re.ASCII)


def parse_timestamp(text: str) -> datetime:
    """RFC 3339, or a plain date (`format: date`). Raises EvaluationError."""
    match = _TIMESTAMP.fullmatch(text if "T" in text or "t" in text else f"{text}T00:00:00Z")
    try:
        if match is None:
            raise ValueError(text)
        day, time, fraction, offset = match.groups()
        micros = (fraction or "").ljust(6, "0")[:6]
        return datetime.fromisoformat(f"{day}T{time}.{micros}{offset or '+00:00'}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise EvaluationError(f"invalid timestamp: {text!r}") from None


def parse_duration(text: str) -> timedelta:
    """Go's `time.ParseDuration`. Raises EvaluationError."""
    try:
        return durations.parse_duration(text)
    except ValueError as error:
        raise EvaluationError(f"invalid duration: {error}") from None


def format_timestamp(value: datetime) -> str:
    """RFC 3339 in UTC, fractions only where there are some."""
    value = value.astimezone(UTC)
    text = value.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f"{text}{fraction}Z"


def format_duration(value: timedelta) -> str:
    """Seconds with a suffix, as CEL's `string(duration)` writes: "5400s", "0.5s"."""
    micros = value // timedelta(microseconds=1)
    sign, micros = ("-", -micros) if micros < 0 else ("", micros)
    seconds, rest = divmod(micros, 10**6)
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{sign}{seconds}{fraction}s"
