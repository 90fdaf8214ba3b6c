"""Durations as Go writes them: "1h30m", "-0.5s", "100ms"; to the microsecond, as Python's `timedelta` has them.

Source: Go's `time.ParseDuration`. Used where Kubernetes reads one: CronJobs' `@every`, CEL, time-outs of requests.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"[+-]?(0|({_PART.pattern})+)", re.ASCII)
_MICROSECONDS = {
    "ns": Decimal("0.001"), "us": Decimal(1), "µs": Decimal(1), "μs": Decimal(1), "ms": Decimal(1000),
    "s": Decimal(10**6), "m": Decimal(60 * 10**6), "h": Decimal(3600 * 10**6),
}  # fmt: skip
_LONGEST = 2**63 // 1000  # microseconds; Go counts nanoseconds in 64 bits


def parse_duration(text: str) -> timedelta:
    """The duration. Raises ValueError in Go's words."""
    if not _WHOLE.fullmatch(text):  # looked at as a whole first: looking for parts in what is none takes quadratic time
        raise ValueError(f'time: invalid duration "{text}"')
    total = sum((Decimal(part[1]) * _MICROSECONDS[part[2]] for part in _PART.finditer(text)), Decimal(0))
    if total > _LONGEST:
        raise ValueError(f'time: invalid duration "{text}"')
    length = timedelta(microseconds=int(total))
    return -length if text.startswith("-") else length
