"""Writes what was counted: each part of the time once, whatever becomes of this process or its connection.

A write that fails, or whose answer is lost, is followed by reading everything anew: `countedUntil` tells whether it
was done. Two of us at once get a Conflict, never a double count.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import date

from skerry.kube.client import Client, Selection
from skerry.kube.errors import AlreadyExists, Conflict
from skerry.kube.objects import Obj, Resource, name_of
from skerry.platform.usage.amounts import Tally, together
from skerry.platform.usage.ledger.book import (
    DAYS_KNOWN,
    Book,
    Shelf,
    after_writing,
    counted,
    is_day,
    name_of_day,
    new_day,
    without_counters,
)
from skerry.platform.usage.ledger.days import by_day
from skerry.platform.usage.projects import PROJECT_LABEL, Account
from skerry.platform.usage.types import USAGE_DAYS, USAGE_MONTHS, WEEK_LABEL, Counters

Counting = Callable[[int, int], Tally]
"""What was used after one second and until another."""
_PART = 500
_SECONDS_OF_A_DAY = 86_400


class Ledger:
    """Of all projects."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._books: dict[str, Book] = {}
        """By uid of the project."""
        self._to_read: set[str] = set()
        """Uids of projects that have something written, of which nothing is known here."""
        self._has_read = False
        self._reading = asyncio.Lock()

    def known(self, account: Account) -> Book | None:
        """What is known without asking."""
        return self._books.get(account.uid)

    async def book(self, account: Account) -> Book:
        """What is written. Raises StatusError, OSError."""
        async with self._reading:
            if not self._has_read:
                await self._read_all()
        if account.uid not in self._books:
            self._books[account.uid] = await self._read(account)
        return self._books[account.uid].since(account)

    async def _read_all(self) -> None:
        """Once, for all: to choose one project's objects costs the API a look at all of them. Who used nothing lately
        is read when it is needed: most are projects of the past."""
        months = await self._all(USAGE_MONTHS)
        while True:
            shelf = Shelf(months)
            async for part in self._parts(USAGE_DAYS):
                shelf.add(part)
            before, months = months, await self._all(USAGE_MONTHS)
            if _versions(before) == _versions(months):  # else days became a month meanwhile
                break
        books = shelf.books
        reach = max((book.counted_until for book in books.values()), default=0) - DAYS_KNOWN * _SECONDS_OF_A_DAY
        self._books = {uid: book for uid, book in books.items() if book.counted_until > reach}
        self._to_read = set(books) - set(self._books)
        self._has_read = True

    async def _read(self, account: Account) -> Book:
        if account.uid not in self._to_read:
            return Book(0)
        days = await self._of(USAGE_DAYS, account)  # first: a day that is merged meanwhile is in both
        shelf = Shelf(await self._of(USAGE_MONTHS, account))
        shelf.add(days)
        self._to_read.discard(account.uid)
        return shelf.book(account.uid)

    async def active_in(self, week: str) -> frozenset[str]:
        """Uids of the projects that used something in a week: one question for all of them. Raises StatusError,
        OSError."""
        days = await self._all(USAGE_DAYS, f"{WEEK_LABEL}={week}")
        return frozenset(one["spec"]["projectUid"] for one in days)

    def forget(self, account_uid: str) -> None:
        """Read it anew when it is needed next."""
        self._books.pop(account_uid, None)
        self._to_read.add(account_uid)

    async def add(
        self, account: Account, counting: Counting, until: int, measured: Tally, counters: Mapping[str, Counters]
    ) -> Book:
        """Count until then. `measured` is added to the last day, with what it was worked out from.
        Raises StatusError, OSError."""
        book = await self.book(account)
        try:
            for day, begin, end in by_day(book.counted_until, until):
                last = end == until
                more = together(counting(begin, end), measured if last else {})
                if more:
                    book = await self._write(account, book, (day, end), more, counters if last else book.counters)
        except BaseException:
            self.forget(account.uid)
            raise
        return book

    async def _write(
        self, account: Account, book: Book, reach: tuple[date, int], more: Tally, counters: Mapping[str, Counters]
    ) -> Book:
        day, until = reach
        obj = await self._object(account, book, day)
        written = await self._client.update(USAGE_DAYS, counted(obj, more, until, counters), "status")
        before, book = book.latest, after_writing(book, written, more)
        self._books[account.uid] = book
        if before is not None and not is_day(before, name_of_day(account, day)) and before["status"].get("counters"):
            await self._client.update(USAGE_DAYS, without_counters(before), "status")
        return book

    async def _object(self, account: Account, book: Book, day: date) -> Obj:
        """The day's, made when there is none."""
        name = name_of_day(account, day)
        if book.latest is not None and is_day(book.latest, name):
            return book.latest
        try:
            return await self._client.create(USAGE_DAYS, new_day(account, day))
        except AlreadyExists:  # made, and not written to before something failed
            present = await self._client.get(USAGE_DAYS, name)
        if (present.get("status") or {}).get("countedUntil"):
            raise Conflict(f"somebody else has counted {name}")
        return present

    async def _of(self, resource: Resource, account: Account) -> list[Obj]:
        found = await self._all(resource, f"{PROJECT_LABEL}={account.project}")
        return [one for one in found if one["spec"].get("projectUid") == account.uid]

    async def _all(self, resource: Resource, labels: str = "") -> list[Obj]:
        return [one async for part in self._parts(resource, labels) for one in part]

    async def _parts(self, resource: Resource, labels: str = "") -> AsyncIterator[list[Obj]]:
        token = ""
        while True:
            part = await self._client.list(resource, None, Selection(labels), limit=_PART, next_token=token)
            yield part.items
            token = part.next_token
            if not token:
                return


def _versions(objects: Iterable[Obj]) -> list[tuple[str, str]]:
    return sorted((name_of(one), one["metadata"]["resourceVersion"]) for one in objects)
