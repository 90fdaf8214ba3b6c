"""Durations as Compose writes them ("1m30s", "500ms") in seconds."""

from __future__ import annotations

import math
import re

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: object, default: int) -> int:
    """Whole seconds, rounded up; `default` for nothing."""
    if not text:
        return default
    return math.ceil(sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(str(text)))) or default
