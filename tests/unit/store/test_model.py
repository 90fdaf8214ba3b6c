"""Both stores against a simple model, driven by hypothesis: any sequence of writes, reads, restarts."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from skerry.engine.store import writer
from skerry.engine.store.contract import Change, Compacted, Key, KeyExists, KeyMissing, RevisionConflict, Store, Watch
from skerry.engine.store.limits import Limits
from skerry.engine.store.memory import MemoryStore
from skerry.engine.store.sqlite import SqliteStore
from tests.support.waiting import LIMIT

from .helpers import body, text_of

T = TypeVar("T")
LIMITS = Limits(history_count=12, history_bytes=600, wal_bytes=1 << 16)
KEYS = st.builds(
    Key, st.sampled_from(["configmaps", "pods"]), st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", "z"])
)
Snapshot = dict[Key, tuple[int, str]]


class StoreMachine(RuleBasedStateMachine):
    """The model: every snapshot there has been, by revision."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store: Store = self.run(self.open())
        self.first = self.store.revision
        self.snapshots: list[Snapshot] = [{}]
        self.watch: Watch | None = None
        self.watched: Snapshot = {}

    async def open(self) -> Store:
        return MemoryStore(LIMITS)

    def run(self, action: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(action)

    @property
    def now(self) -> Snapshot:
        return self.snapshots[-1]

    def at(self, revision: int) -> Snapshot:
        return self.snapshots[revision - self.first]

    def wrote(self, key: Key, value: tuple[int, str] | None) -> None:
        after = {other: state for other, state in self.now.items() if other != key}
        if value is not None:
            after[key] = value
        self.snapshots.append(after)

    @rule(key=KEYS, text=st.sampled_from(["", "t", "text" * 20]))
    def create(self, key: Key, text: str) -> None:
        if key in self.now:
            with pytest.raises(KeyExists):
                self.run(self.store.create(key, body(text)))
        else:
            entry = self.run(self.store.create(key, body(text)))
            self.wrote(key, (entry.revision, text))

    @rule(key=KEYS, text=st.sampled_from(["", "u", "other" * 20]), behind=st.sampled_from([0, 0, 0, 1]))
    def update(self, key: Key, text: str, behind: int) -> None:
        revision = self.now[key][0] - behind if key in self.now else 1
        if key not in self.now or behind:
            with pytest.raises(RevisionConflict if key in self.now else KeyMissing):
                self.run(self.store.update(key, body(text), revision))
        else:
            entry = self.run(self.store.update(key, body(text), revision))
            self.wrote(key, (entry.revision, text))

    @rule(key=KEYS)
    def delete(self, key: Key) -> None:
        if key not in self.now:
            with pytest.raises(KeyMissing):
                self.run(self.store.delete(key, body(), 1))
        else:
            self.run(self.store.delete(key, body(), self.now[key][0]))
            self.wrote(key, None)

    @rule(keys=st.lists(KEYS, min_size=2, max_size=5, unique=True))
    def write_together(self, keys: list[Key]) -> None:
        async def together() -> None:
            await asyncio.gather(
                *(
                    self.store.update(key, body("together"), self.now[key][0])
                    if key in self.now
                    else self.store.create(key, body("together"))
                    for key in keys
                )
            )

        first = self.store.revision + 1
        self.run(together())
        for number, key in enumerate(keys):
            self.wrote(key, (first + number, "together"))

    @rule(behind=st.integers(0, 15))
    def start_watch(self, behind: int) -> None:
        since = max(self.first, self.store.revision - behind)

        async def start() -> Watch:
            return self.store.watch("configmaps", "a", since=since)

        if since < self.store.oldest:
            with pytest.raises(Compacted):
                self.run(start())
        else:
            self.watch, self.watched = self.run(start()), self.matching(self.at(since), "configmaps", "a")

    @rule()
    def read_watch(self) -> None:
        while self.watch is not None and self.watched != self.matching(self.now, "configmaps", "a"):
            for change in self.run(asyncio.wait_for(self.watch.next(), LIMIT)):
                self.follow(change)

    def follow(self, change: Change) -> None:
        previous = self.watched.pop(change.entry.key, None)
        assert (change.type == "ADDED") == (previous is None)
        assert (change.previous.revision if change.previous else None) == (previous[0] if previous else None)
        if change.type != "DELETED":
            self.watched[change.entry.key] = (change.entry.revision, text_of(change.entry))

    @staticmethod
    def matching(snapshot: Snapshot, resource: str, namespace: str | None) -> Snapshot:
        return {
            key: state
            for key, state in snapshot.items()
            if key.resource == resource and namespace in (None, key.namespace)
        }

    @rule(namespace=st.sampled_from([None, "a", "b"]), limit=st.integers(0, 3), behind=st.integers(0, 15))
    def list_pages(self, namespace: str | None, limit: int, behind: int) -> None:
        at = max(self.first, self.store.revision - behind)
        if at < self.store.oldest:
            with pytest.raises(Compacted):
                self.store.list("pods", namespace, at=at)
            return
        expected = sorted(self.matching(self.at(at), "pods", namespace))
        listed: list[Key] = []
        after: Key | None = None
        while page := self.store.list("pods", namespace, after=after, limit=limit, at=at):
            assert all((entry.revision, text_of(entry)) == self.at(at)[entry.key] for entry in page)
            listed += [entry.key for entry in page]
            after = listed[-1]
        assert listed == expected

    @invariant()
    def present_agrees(self) -> None:
        assert self.store.revision == self.first + len(self.snapshots) - 1
        assert self.store.oldest <= self.store.revision
        for resource in ("configmaps", "pods"):
            found = {entry.key: (entry.revision, text_of(entry)) for entry in self.store.list(resource)}
            assert found == self.matching(self.now, resource, None)
            assert self.store.count(resource) == len(found)

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()


class SqliteMachine(StoreMachine):
    """The same, and restarts."""

    def __init__(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        super().__init__()

    async def open(self) -> Store:
        return await SqliteStore.open(Path(self.directory.name) / "store.db", LIMITS)

    @rule()
    def restart(self) -> None:
        oldest = self.store.oldest
        self.run(self.store.close())
        self.store = self.run(self.open())
        self.watch = None
        assert self.store.oldest == oldest

    def teardown(self) -> None:
        super().teardown()
        self.directory.cleanup()


def test_memory_agrees_with_the_model() -> None:
    run_state_machine_as_test(StoreMachine, settings=settings(max_examples=40, deadline=None))


def test_sqlite_agrees_with_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_PRUNE", 2)  # so that short runs delete rows, too
    run_state_machine_as_test(SqliteMachine, settings=settings(max_examples=25, deadline=None))
