"""One project's accounts as they are written: what they sum up to, and how far they reach. Pure.

Invariant: the totals of a day and `countedUntil` change in one update of one object, and nobody counts what lies
before it. So whoever reads the objects anew knows exactly what is still to be counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import date, timedelta

from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record
from skerry.platform.usage.amounts import NOTHING, Amounts, Tally, bounded, together, total_of
from skerry.platform.usage.ledger.days import moment, month_of, week_of
from skerry.platform.usage.projects import PROJECT_LABEL, Account
from skerry.platform.usage.types import (
    MONTH_LABEL,
    USAGE_DAYS,
    WEEK_LABEL,
    Counters,
    UsageDayStatus,
    UsageMonthStatus,
    entries_of,
    tally_of,
    total_hours,
)

DAYS_KNOWN = 35
"""So many are kept in memory, for reports."""


@record
class Book:
    """What is written. `latest`: the newest day's object; `days`: the last of them; `lifetime`: all there ever was."""

    counted_until: int
    lifetime: Amounts = NOTHING
    latest: Obj | None = None
    days: Mapping[date, Tally] = field(default_factory=dict)
    counters: Mapping[str, Counters] = field(default_factory=dict)

    def since(self, account: Account) -> Book:
        """Nothing is counted from before a project was made."""
        return replace(self, counted_until=max(self.counted_until, account.opened))


class Shelf:
    """What objects of any projects come to, by uid of the project. A day that is in a month already does not count
    again, so months come first; days come in whatever order."""

    def __init__(self, months: Iterable[Obj]) -> None:
        self.books: dict[str, Book] = {}
        self._merged: set[tuple[str, date]] = set()
        for one in months:
            uid, status = one["spec"]["projectUid"], status_of_month(one)
            self._merged.update((uid, day) for day in status.days)
            book = self.book(uid)
            self.books[uid] = replace(book, lifetime=book.lifetime.plus(total_of(tally_of(status).values())))

    def add(self, days: Iterable[Obj]) -> None:
        """Some more."""
        for one in days:
            uid = one["spec"]["projectUid"]
            if (uid, day_in(one)) not in self._merged:
                self.books[uid] = _with_day(self.book(uid), one)

    def book(self, uid: str) -> Book:
        """An empty one of a project that has nothing."""
        return self.books.get(uid, Book(0))


def _with_day(book: Book, obj: Obj) -> Book:
    status = status_of_day(obj)
    if status.counted_until is None:
        return book
    tally, until = tally_of(status), int(status.counted_until.timestamp())
    whole = replace(
        book,
        lifetime=book.lifetime.plus(total_of(tally.values())),
        days=_recent({**book.days, day_in(obj): tally}),
    )
    if until <= book.counted_until:
        return whole
    return replace(whole, counted_until=until, latest=obj, counters=status.counters)


def _recent(days: Mapping[date, Tally]) -> Mapping[date, Tally]:
    oldest = max(days) - timedelta(days=DAYS_KNOWN)
    return {day: tally for day, tally in days.items() if day > oldest}


def after_writing(book: Book, written: Obj, more: Tally) -> Book:
    """The book when `more` was added to a day."""
    status = status_of_day(written)
    assert status.counted_until is not None
    days = _recent({**book.days, day_in(written): tally_of(status)})
    until = int(status.counted_until.timestamp())
    return Book(until, book.lifetime.plus(total_of(more.values())), written, days, status.counters)


def name_of_day(account: Account, day: date) -> str:
    """Of the object. A project of the same name that was there before has others."""
    return f"{account.project}-{day}-{account.uid[:8]}"


def new_day(account: Account, day: date) -> Obj:
    """The object of a day on which nothing was counted yet."""
    return {
        "apiVersion": USAGE_DAYS.api_version,
        "kind": USAGE_DAYS.kind,
        "metadata": {
            "name": name_of_day(account, day),
            "labels": {PROJECT_LABEL: account.project, MONTH_LABEL: month_of(day), WEEK_LABEL: week_of(day)},
        },
        "spec": {"project": account.project, "projectUid": account.uid, "day": day.isoformat()},
    }


def counted(obj: Obj, more: Tally, until: int, counters: Mapping[str, Counters]) -> Obj:
    """A day's object with more in it, counted until then."""
    before = status_of_day(obj)
    tally = bounded(together(tally_of(before), more))
    status = UsageDayStatus(
        entries=entries_of(tally), total=total_hours(tally), counted_until=moment(until), counters=dict(counters)
    )
    return {**obj, "status": status.dump()}


def without_counters(obj: Obj) -> Obj:
    """A day's object when a newer one has them."""
    return {**obj, "status": {name: value for name, value in obj["status"].items() if name != "counters"}}


def day_in(obj: Obj) -> date:
    """Of a UsageDay."""
    return date.fromisoformat(obj["spec"]["day"])


def is_day(obj: Obj | None, name: str) -> bool:
    """Whether it is the object of this name."""
    return obj is not None and name_of(obj) == name


def status_of_day(obj: Obj) -> UsageDayStatus:
    """As it is written."""
    return UsageDayStatus.of(_own(obj))


def status_of_month(obj: Obj) -> UsageMonthStatus:
    """As it is written."""
    return UsageMonthStatus.of(_own(obj))


def _own(obj: Obj) -> Obj:
    """What models know of: conditions and the like are others'."""
    status = obj.get("status") or {}
    return {name: value for name, value in status.items() if name not in ("conditions", "observedGeneration")}
