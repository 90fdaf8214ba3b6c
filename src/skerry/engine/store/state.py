"""The committed objects in memory: by resource, namespace and name; the stores' answer to get, list and count.

Invariants
- Holds exactly what is committed; only `apply` changes it, in revision order.
- A bucket is one dictionary in name order whenever it is read in order: appending in order keeps it sorted, anything
  else marks it, and the next ordered read sorts it once. That makes a whole list a copy of the dictionary's values:
  faster than a sorted container, which pays at every write.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal

from skerry.engine.store.contract import Change, Entry, Key


class _Bucket:
    """The entries of one resource in one namespace."""

    __slots__ = ("_entries", "_highest", "_in_order")

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._highest = ""
        self._in_order = True

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, name: str) -> Entry | None:
        return self._entries.get(name)

    def put(self, entry: Entry) -> Entry | None:
        """Set and give back what was there."""
        name = entry.key.name
        previous = self._entries.get(name)
        self._entries[name] = entry
        if previous is None:
            if name > self._highest:
                self._highest = name
            else:
                self._in_order = False
        return previous

    def pop(self, name: str) -> Entry | None:
        return self._entries.pop(name, None)

    def ordered(self, after: str = "", limit: int = 0) -> list[Entry]:
        """By name, those past `after`, at most `limit` (0: all)."""
        self._sort()
        entries = list(self._entries.values())
        if not after:
            return entries[:limit] if limit else entries
        start = bisect_right(list(self._entries), after)
        return entries[start : start + limit] if limit else entries[start:]

    def _sort(self) -> None:
        if self._in_order:
            return
        names = sorted(self._entries)
        self._entries = {name: self._entries[name] for name in names}
        self._highest = names[-1] if names else ""
        self._in_order = True


class State:
    """All committed objects."""

    __slots__ = ("_resources",)

    def __init__(self) -> None:
        self._resources: dict[str, dict[str, _Bucket]] = {}

    def get(self, key: Key) -> Entry | None:
        """The entry at `key`, or None."""
        buckets = self._resources.get(key.resource)
        bucket = buckets.get(key.namespace) if buckets is not None else None
        return bucket.get(key.name) if bucket is not None else None

    def count(self, resource: str, namespace: str | None) -> int:
        """Entries of a resource, in one namespace or all."""
        buckets = self._resources.get(resource)
        if not buckets:
            return 0  # what every write asks about policies and webhooks
        if namespace is None:
            return sum(map(len, buckets.values()))
        return len(buckets.get(namespace, ()))

    def list(self, resource: str, namespace: str | None, after: Key | None, limit: int) -> list[Entry]:
        """Entries ordered by (namespace, name), those past `after`, at most `limit` (0: all)."""
        buckets = self._resources.get(resource, {})
        found: list[Entry] = []
        for name in sorted(buckets) if namespace is None else (namespace,):
            if name not in buckets or (after is not None and name < after.namespace):
                continue
            start = after.name if after is not None and name == after.namespace else ""
            found += buckets[name].ordered(start, limit - len(found) if limit else 0)
            if limit and len(found) >= limit:
                break
        return found

    def apply(self, type: Literal["ADDED", "MODIFIED", "DELETED"], entry: Entry) -> Change:
        """Make one committed write visible and say what changed."""
        buckets = self._resources.setdefault(entry.key.resource, {})
        if type == "DELETED":
            return Change(type, entry, self._remove(buckets, entry.key))
        bucket = buckets.get(entry.key.namespace)
        if bucket is None:
            bucket = buckets[entry.key.namespace] = _Bucket()
        return Change(type, entry, bucket.put(entry))

    @staticmethod
    def _remove(buckets: dict[str, _Bucket], key: Key) -> Entry | None:
        bucket = buckets.get(key.namespace)
        if bucket is None:
            return None
        previous = bucket.pop(key.name)
        if not bucket:  # a namespace that comes and goes must leave nothing behind
            del buckets[key.namespace]
        return previous
