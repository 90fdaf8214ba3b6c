"""What is configured of a kind right now, compiled: worked out anew for the objects that changed, and only for them.

A write asks for it. With nothing configured that is one look into a dictionary of the store (under a microsecond);
otherwise a comparison of revisions. So what was configured before a write was sent has its say in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from skerry.engine.store.contract import Store
from skerry.kube.objects import Obj

T = TypeVar("T")


class Configured(Generic[T]):
    """The objects of one resource, ordered by name, each as what `compile` makes of it."""

    def __init__(self, store: Store, resource: str, compile: Callable[[Obj], T]) -> None:
        self._store, self._resource, self._compile = store, resource, compile
        self._revisions: list[int] = []
        self._made: dict[int, T] = {}
        self._current: tuple[T, ...] = ()

    def current(self) -> tuple[T, ...]:
        """What there is now."""
        if not self._store.count(self._resource, ""):  # all of them are cluster-scoped: the cheapest question
            return ()
        entries = self._store.list(self._resource)
        revisions = [entry.revision for entry in entries]
        if revisions != self._revisions:
            made, self._made = self._made, {}
            for entry in entries:
                known = made.get(entry.revision)
                self._made[entry.revision] = self._compile(entry.shared()) if known is None else known
            self._revisions, self._current = revisions, tuple(self._made.values())
        return self._current
