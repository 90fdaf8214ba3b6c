"""When something that failed is tried again: later each time, at once when something about it has changed."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta

from skerry.kube.clock import Clock
from skerry.kube.records import record

_FIRST, _LONGEST = 15.0, 3600.0  # seconds


@record
class _Attempt:
    about: Hashable
    failures: int
    next: datetime


class Retries:
    """By key. In memory: after a restart everything is tried once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attempts: dict[str, _Attempt] = {}

    def wait(self, key: str, about: Hashable) -> float:
        """Seconds to wait still. `about`: what was tried, as far as it matters."""
        last = self._attempts.get(key)
        if last is None or last.about != about:
            return 0.0
        return max(0.0, (last.next - self._clock.now()).total_seconds())

    def failed(self, key: str, about: Hashable, longest: float = _LONGEST) -> float:
        """Note it. Seconds until it is tried again, `longest` at most."""
        last = self._attempts.get(key)
        failures = last.failures + 1 if last is not None and last.about == about else 1
        seconds = min(_FIRST * 2.0 ** min(failures - 1, 20), longest)
        self._attempts[key] = _Attempt(about, failures, self._clock.now() + timedelta(seconds=seconds))
        return seconds

    def forget(self, key: str) -> None:
        """It went well, or there is nothing to try any more."""
        self._attempts.pop(key, None)
