"""A clock that tests move: time passes, or somebody sets the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from skerry.kube.clock import SystemClock

_STEADY_BEGAN = datetime(2000, 1, 1, tzinfo=UTC)


class SetClock:
    """Stands still, at a whole second, until it is moved."""

    def __init__(self, time: datetime | None = None) -> None:
        self.time = time or datetime.now(UTC).replace(microsecond=0)
        self._steady = _STEADY_BEGAN

    def now(self) -> datetime:
        """What the time of day is."""
        return self.time

    def steady(self) -> datetime:
        """What nobody can set."""
        return self._steady

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.time += timedelta(seconds=seconds)
        self._steady += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock: forward, or back when it is negative."""
        self.time += timedelta(seconds=seconds)


class ShiftedClock(SystemClock):
    """The machine's, ahead by what tests say: for what has to agree with the time of other programs."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The time of day, shifted."""
        return super().now() + self._ahead

    def steady(self) -> datetime:
        """What nobody can set, shifted."""
        return super().steady() + self._ahead

    def advance(self, seconds: float) -> None:
        """Time passes at once."""
        self._ahead += timedelta(seconds=seconds)
