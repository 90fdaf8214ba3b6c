"""How often somebody may try a password. An attempt counts before the password is looked at, so that many at the same
time are no way around it; the right password takes it back.

By name: after five wrong ones a growing delay, kept in the User's status, so that a restart forgets nothing. Names that
nobody has are treated alike. By address: so many in a time, in memory. Who locks somebody out by guessing
delays that person by an hour at most; a one-time link of an operator opens at once.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from skerry.kube.clock import Clock, parse_time, rfc3339
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.base.language import N_
from skerry.platform.identity.login.often import Often
from skerry.platform.identity.login.people import People, SignInRefused

_FREE, _FIRST, _LONGEST = 5, timedelta(seconds=30), timedelta(hours=1)
_PER_ADDRESS, _WINDOW = 30, timedelta(minutes=5)
_REMEMBERED = 10_000


@record
class Failures:
    """Of one name: how many in a row, and until when no further attempt counts."""

    count: int = 0
    until: datetime | None = None


NONE = Failures()


def one_more(known: Failures, now: datetime) -> Failures:
    """After another wrong password: 30 s from the fifth on, doubled each time, up to an hour."""
    count = known.count + 1
    if count < _FREE:
        return Failures(count)
    doubled = _FIRST * 2 ** min(count - _FREE, 16)
    return Failures(count, now + min(doubled, _LONGEST))


def seconds_left(known: Failures, now: datetime) -> int:
    """Until somebody may try again; never more than the longest delay, also when the clock was set back."""
    if known.until is None or known.until <= now:
        return 0
    return int(min(known.until - now, _LONGEST).total_seconds()) + 1


def failures_of(user: Obj | None) -> Failures:
    """What a User's status says."""
    status = (user or {}).get("status") or {}
    until = status.get("lockedUntil")
    return Failures(status.get("failedLogins", 0), parse_time(until) if until else None)


class Attempts:
    """All of them, by name and by address."""

    def __init__(self, people: People, clock: Clock) -> None:
        self._people, self._clock = people, clock
        self._by_name: OrderedDict[str, Failures] = OrderedDict()
        self._by_address = Often(clock, _PER_ADDRESS, _WINDOW)

    def begin(self, address: str, name: str) -> None:
        """One more attempt, taken as wrong until `right` is called. Raises SignInRefused: too many."""
        now = self._clock.now()
        if not self._by_address.one_more(address):
            raise SignInRefused(N_("too many attempts from your address: wait five minutes"))
        known = self._failures(name)
        left = seconds_left(known, now)
        if left:
            raise SignInRefused(
                f"too many wrong passwords for {name}: wait {_in_words(left)}, or ask an operator for a sign-in link"
            )
        self._keep(name, one_more(known, now))

    async def note(self, name: str) -> None:
        """Write down what `begin` counted. To be awaited beside the check of the password, not after it: so a name that
        somebody has takes no longer to refuse than one that nobody has. Raises StatusError."""
        counted = self._failures(name)
        until = rfc3339(counted.until) if counted.until else None
        await self._people.note(name, failedLogins=counted.count, lockedUntil=until)
        if self._people.get(name) is not None and self._by_name.get(name) == counted:
            del self._by_name[name]  # the status says it, until somebody forgives

    def right(self, address: str, name: str) -> None:
        """It was right: nothing is held against name and address (`People.signed_in` says so to the User)."""
        self._by_name.pop(name, None)
        self._by_address.take_back(address)

    async def untold(self, address: str, name: str) -> None:
        """Nobody could tell whether it was right: it does not count. Raises StatusError."""
        self._by_address.take_back(address)
        known = self._failures(name)
        self._by_name.pop(name, None)
        self._keep(name, Failures(max(0, known.count - 1)))
        await self._people.note(name, failedLogins=max(0, known.count - 1), lockedUntil=None)

    def _failures(self, name: str) -> Failures:
        kept, stored = self._by_name.get(name, NONE), failures_of(self._people.get(name))
        return max(kept, stored, key=lambda one: one.count)

    def _keep(self, name: str, failures: Failures) -> None:
        self._by_name[name] = failures
        self._by_name.move_to_end(name)
        if len(self._by_name) > _REMEMBERED:
            self._by_name.popitem(last=False)


def _in_words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} minutes"
