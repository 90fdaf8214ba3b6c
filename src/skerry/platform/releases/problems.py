"""Why a release cannot go on, as its condition `Ready` says it."""

from __future__ import annotations

from skerry.platform.releases.types import Phase


class Unready(Exception):
    """Nothing is tried until something changes. `reason` in CamelCase; the text says what to do."""

    def __init__(self, reason: str, message: str, *, phase: Phase = "Pending", again: float | None = None) -> None:
        """`again`: seconds after which it is looked at again, when nothing tells that it has changed."""
        super().__init__(message)
        self.reason, self.message, self.phase, self.again = reason, message, phase, again
