"""What the objects of one resource in one namespace use: those that are seen, and those that are admitted and not yet.

At most one object has a name at a time, so a name counts the most that any state of it may use: the one in the cache,
or one that was admitted under it. What was admitted is let go when the cache shows it, or shows that it cannot come
any more; and when the API must have given it up and says that it is not there. Sums are kept, not made. Pure: times
are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.quota.amounts import Amount, Amounts, added, largest, reduced
from skerry.kube.quota.usage import given_up_at, usage
from skerry.kube.records import record

LONGEST_WRITE = timedelta(seconds=20)
"""So long an API server takes at most from asking us to storing: ten seconds for the webhooks it asks beside us, ten
for its own quotas. What it has not stored then, somebody else refused."""


@record
class Write:
    """A write that was admitted, or is asked about."""

    name: str
    uid: str
    before: str
    """resourceVersion of what it changes, "" for a new object."""
    obj: Obj
    uses: Amounts
    """All that the object would use."""
    used: Amounts
    """What that which it changes uses."""

    @property
    def may_grow(self) -> bool:
        """Whether there may be more of anything after it, whatever of it the cache has seen."""
        return not self.before or any(
            one.value > self.used[name].value if name in self.used else one.value > 0 for name, one in self.uses.items()
        )


@record
class Held:
    """A write that was admitted and is not seen."""

    write: Write
    replaced: str
    """uid of the object that the cache had under the name then."""
    until: datetime
    """When the API must have stored it or never will, in steady time."""


class Table:
    """One resource in one namespace."""

    def __init__(self, resource: str, objects: Iterable[Obj], now: datetime) -> None:
        """`resource`: "pods", "deployments.apps"; `now`: the time of day."""
        self._resource = resource
        self._seen: dict[str, tuple[Obj, Amounts]] = {}
        self._held: dict[str, list[Held]] = {}
        self._counts: dict[str, Amounts] = {}
        self._total: dict[str, Amount] = {}
        self._leaving: dict[str, datetime] = {}
        """Pods that stop counting at a time, whether or not anything changes."""
        for one in objects:
            self.see(name_of(one), one, now)

    def see(self, name: str, obj: Obj | None, now: datetime) -> None:
        """The cache shows an object, or that it has gone."""
        gone = self._seen.pop(name, None)
        self._leaving.pop(name, None)
        if obj is not None:
            self._seen[name] = (obj, usage(self._resource, obj, now))
            ends = given_up_at(obj) if self._resource == "pods" else None
            if ends is not None and ends >= now:
                self._leaving[name] = ends
        if name in self._held:
            uid = uid_of(gone[0]) if gone is not None and obj is None else ""
            self._keep(name, [one for one in self._held[name] if not _is_over(one, obj, uid)])
        self._count(name)

    def hold(self, write: Write, steady: datetime) -> None:
        """Count a write from now on. One that cannot use more than what it changes counts as that."""
        if not write.may_grow:
            return
        seen = self._seen.get(write.name)
        one = Held(write, uid_of(seen[0]) if seen else "", steady + LONGEST_WRITE)
        self._held.setdefault(write.name, []).append(one)
        self._count(write.name)

    def overdue(self, steady: datetime) -> list[Held]:
        """What should have been seen by now: for each, ask the API and call `settle`."""
        return [one for held in self._held.values() for one in held if one.until <= steady]

    def settle(self, held: Held, there: Obj | None, steady: datetime) -> None:
        """`there`: what the API has under the name. Let go what was never stored; what was, the cache will show."""
        name = held.write.name
        others = [one for one in self._held.get(name, ()) if one is not held]
        if len(others) < len(self._held.get(name, ())):  # not seen meanwhile
            is_there = there is not None and _was_stored(held.write, there)
            again = [Held(held.write, held.replaced, steady + LONGEST_WRITE)] if is_there else []
            self._keep(name, [*others, *again])
            self._count(name)

    def grows_by(self, write: Write) -> dict[str, Amount]:
        """What a write would add to the total; without what it would not."""
        more = reduced(write.uses, self._counts.get(write.name, {}))
        return {name: value for name, value in more.items() if value.value > 0}

    def total(self, now: datetime) -> Amounts:
        """What all of them use."""
        for name in [name for name, ends in self._leaving.items() if ends < now]:
            self.see(name, self._seen[name][0], now)
        return self._total

    def coming(self) -> dict[str, Amount]:
        """What of the total is admitted and not seen."""
        total: dict[str, Amount] = {}
        for name in self._held:
            seen = self._seen.get(name)
            total = added(total, reduced(self._counts[name], seen[1] if seen is not None else {}))
        return total

    def entries(self) -> Iterator[tuple[Obj, Amounts]]:
        """Each object, or the newest state of it that was admitted, and what it counts."""
        for name, uses in self._counts.items():
            yield self._held[name][-1].write.obj if name in self._held else self._seen[name][0], uses

    def _keep(self, name: str, held: list[Held]) -> None:
        if held:
            self._held[name] = held
        else:
            self._held.pop(name, None)

    def _count(self, name: str) -> None:
        before = self._counts.pop(name, None)
        seen = self._seen.get(name)
        uses: Amounts | None = seen[1] if seen is not None else None
        for one in self._held.get(name, ()):
            uses = one.write.uses if uses is None else largest(uses, one.write.uses)
        if uses is not None:
            self._counts[name] = uses
        if before != uses:
            self._total = added(reduced(self._total, before or {}), uses or {})


def _is_over(held: Held, shown: Obj | None, gone: str) -> bool:
    """Whether the cache has caught up with a write, or shows that it never happened. `gone`: uid of what has gone."""
    write = held.write
    if shown is None:
        return bool(gone) and gone == write.uid
    if write.before:
        return uid_of(shown) != write.uid or _is_newer(shown["metadata"].get("resourceVersion", ""), write.before)
    return uid_of(shown) == write.uid if write.uid else uid_of(shown) != held.replaced


def _was_stored(write: Write, there: Obj) -> bool:
    """Whether a write may be among those that made an object what it is."""
    if write.before:
        return uid_of(there) == write.uid and there["metadata"].get("resourceVersion", "") != write.before
    return not write.uid or uid_of(there) == write.uid


def _is_newer(version: str, than: str) -> bool:
    return version.isdecimal() and than.isdecimal() and int(version) > int(than)
