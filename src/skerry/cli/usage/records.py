"""What the ledger says, as lines to choose from and to sum up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta

from skerry.cli.errors import CommandFailed
from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.usage.amounts import NOTHING, Amounts
from skerry.platform.usage.ledger.book import day_in, status_of_day, status_of_month
from skerry.platform.usage.types import UsageStatus, tally_of


@record
class Period:
    """Both days are in it."""

    begins: date
    ends: date


@record
class Line:
    """Of one user in one namespace on one day; or, long ago, in one month that begins on that day."""

    project: str
    day: date
    namespace: str
    user: str
    amounts: Amounts
    is_month: bool = False


GROUPS: Mapping[str, Callable[[Line], str]] = {
    "project": lambda line: line.project,
    "namespace": lambda line: line.namespace,
    "user": lambda line: line.user,
    "day": lambda line: f"{line.day:%Y-%m}" if line.is_month else line.day.isoformat(),
    "month": lambda line: f"{line.day:%Y-%m}",
}
"""What lines can be summed up by."""


def lines_of(days: Iterable[Obj], months: Iterable[Obj], period: Period) -> list[Line]:
    """Those within a time. What is in a month is not taken from a day as well. Raises CommandFailed: the time begins or
    ends inside a month of which the days are not kept."""
    found: list[Line] = []
    merged: set[tuple[str, date]] = set()
    for month in months:
        status = status_of_month(month)
        merged.update((month["spec"]["projectUid"], day) for day in status.days)
        if _is_within(month["spec"]["month"], period):
            found += _lines(month, date.fromisoformat(f"{month['spec']['month']}-01"), status, is_month=True)
    for day in days:
        key = (day["spec"]["projectUid"], day_in(day))
        if key not in merged and period.begins <= day_in(day) <= period.ends:
            found += _lines(day, day_in(day), status_of_day(day))
    return found


def _is_within(month: str, period: Period) -> bool:
    first = date.fromisoformat(f"{month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if last < period.begins or first > period.ends:
        return False
    if first < period.begins or last > period.ends:
        raise CommandFailed(
            f"of {month} only the whole month is kept: begin with {first} or later than {last}, and end likewise"
        )
    return True


def _lines(obj: Obj, day: date, status: UsageStatus, *, is_month: bool = False) -> Iterator[Line]:
    for (namespace, user), amounts in tally_of(status).items():
        yield Line(obj["spec"]["project"], day, namespace, user, amounts, is_month)


def grouped(lines: Iterable[Line], by: str) -> dict[str, Amounts]:
    """Sums, by what `GROUPS` names; days and months in order, the rest by CPU, the most first."""
    sums: dict[str, Amounts] = {}
    for line in lines:
        name = GROUPS[by](line)
        sums[name] = sums.get(name, NOTHING).plus(line.amounts)
    if by in ("day", "month"):
        return dict(sorted(sums.items()))
    return dict(sorted(sums.items(), key=lambda one: (one[1], one[0]), reverse=True))
