"""Sign-ins that were begun: kept in memory for minutes, each bound to the browser that began it, good once.

So nobody can be made to finish somebody else's sign-in (RFC 9700, 4.7). After a restart the person begins again.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from skerry.kube.clock import Clock
from skerry.kube.records import record
from skerry.platform.identity.login.often import TooMany
from skerry.platform.identity.oidc.party import Begun
from skerry.platform.identity.sessions.tokens import digest

_LIVES = timedelta(minutes=10)
_MOST, _MOST_OF_ADDRESS = 10_000, 50


@record
class Pending:
    """One."""

    begun: Begun
    provider: str
    next: str
    """A path here."""
    address: str
    browser: str
    """Hash of what the browser's cookie says."""
    until: datetime


class PendingSignIns:
    """By their state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, Pending] = {}

    def keep(self, begun: Begun, provider: str, next_: str, address: str, browser: str) -> None:
        """`browser`: what its cookie says. Raises TooMany."""
        now = self._clock.steady()
        self._kept = {state: one for state, one in self._kept.items() if one.until > now}
        theirs = sum(1 for one in self._kept.values() if one.address == address)
        if len(self._kept) >= _MOST or theirs >= _MOST_OF_ADDRESS:
            raise TooMany("too many sign-ins were begun and not finished: try again in ten minutes")
        self._kept[begun.state] = Pending(begun, provider, next_, address, digest(browser), now + _LIVES)

    def take(self, state: str, provider: str, browser: str) -> Pending | None:
        """The one of this state, when this browser began it there; used up, also by another."""
        found = self._kept.pop(state, None)
        if found is None or found.until <= self._clock.steady() or found.provider != provider:
            return None
        return found if secrets.compare_digest(found.browser, digest(browser)) else None
