"""The changes of the recent past: what watches that start in the past replay and lists of the past are undone with.

Invariants
- Changes are in revision order without gaps, from `oldest` (excluded) to the latest.
- Bounded by number and by the bytes of superseded states it holds on to; the newest change always stays.
- Only the newest changes keep decoded copies of superseded states: those are what watchers are about to look at.
"""

from __future__ import annotations

from collections import deque

from skerry.engine.store.contract import Change, Entry, Key
from skerry.engine.store.limits import Limits

_WARM = 256
"""Changes whose superseded states may stay decoded."""


def _superseded(change: Change) -> list[Entry]:
    """The states only history needs because of this change."""
    entries = [change.previous] if change.previous is not None else []
    if change.type == "DELETED":
        entries.append(change.entry)
    return entries


class History:
    """A bounded ring of changes."""

    __slots__ = ("_by_resource", "_bytes", "_changes", "_limits", "_warm", "oldest")

    def __init__(self, limits: Limits, oldest: int) -> None:
        self.oldest = oldest
        """The latest revision before the first change kept: watches and lists may start from it."""
        self._limits = limits
        self._bytes = 0
        self._changes: deque[Change] = deque()
        self._by_resource: dict[str, deque[Change]] = {}
        self._warm: deque[Change] = deque()

    def append(self, change: Change) -> None:
        """Add the next change. The bounds are enforced by `trim`, once per commit."""
        resource = change.entry.key.resource
        self._changes.append(change)
        changes = self._by_resource.get(resource)
        if changes is None:
            changes = self._by_resource[resource] = deque()
        changes.append(change)
        if change.previous is not None:
            self._bytes += sum(len(entry.value) for entry in _superseded(change))
            self._warm.append(change)
            if len(self._warm) > _WARM:
                for entry in _superseded(self._warm.popleft()):
                    entry.forget()

    def trim(self) -> list[int]:
        """Drop what is over the bounds; the revisions whose states nobody needs any more."""
        dead: list[int] = []
        count, size = self._limits.history_count, self._limits.history_bytes
        while (len(self._changes) > count or self._bytes > size) and len(self._changes) > 1:
            dead += self._drop_first()
        return dead

    def restart(self, oldest: int) -> list[int]:
        """Drop all changes: what comes next follows `oldest`. Gives back what `trim` does."""
        dead: list[int] = []
        while self._changes:
            dead += self._drop_first()
        self._warm.clear()
        self.oldest = oldest
        return dead

    def since(self, resource: str, revision: int, namespace: str | None = None) -> list[Change]:
        """The changes to a resource after `revision`, oldest first. Costs what it returns, not what history holds."""
        found: list[Change] = []
        for change in reversed(self._by_resource.get(resource, ())):
            if change.entry.revision <= revision:
                break
            if namespace is None or change.entry.key.namespace == namespace:
                found.append(change)
        found.reverse()
        return found

    def undo(self, resource: str, namespace: str | None, revision: int) -> dict[Key, Entry | None]:
        """What differed at `revision` from now: the state each since changed key had then (None: absent)."""
        then: dict[Key, Entry | None] = {}
        for change in reversed(self.since(resource, revision, namespace)):
            then[change.entry.key] = change.previous
        return then

    def _drop_first(self) -> list[int]:
        change = self._changes.popleft()
        self._by_resource[change.entry.key.resource].popleft()
        self.oldest = change.entry.revision
        superseded = _superseded(change)
        self._bytes -= sum(len(entry.value) for entry in superseded)
        return [entry.revision for entry in superseded]
