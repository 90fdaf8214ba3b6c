"""The durable store: SQLite beneath the shared ordering. `await SqliteStore.open(path)` is the way in.

The event loop's thread orders writes and answers reads from memory; `writer` commits; `checkpoint` bounds the log;
`database` knows the file. Nothing here waits for the disk on the loop.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from skerry.engine.store import database
from skerry.engine.store.checkpoint import Checkpointer
from skerry.engine.store.history import History
from skerry.engine.store.limits import Limits
from skerry.engine.store.ordered import OrderedStore, Write
from skerry.engine.store.state import State
from skerry.engine.store.writer import Callbacks, Writer


@dataclass(frozen=True, slots=True)
class _Opened:
    """A database that has been locked, checked and read."""

    path: Path
    descriptor: int
    connection: sqlite3.Connection
    state: State
    history: History
    revision: int
    dead: list[int]
    checkpointer: Checkpointer


def _open(path: Path, limits: Limits) -> _Opened:
    descriptor = database.lock(path)
    try:
        connection = database.prepare(path)
        try:
            loaded = database.load(connection, limits)
            return _Opened(path, descriptor, connection, *loaded, Checkpointer(path, limits.wal_bytes))
        except sqlite3.Error as error:
            connection.close()
            raise database.explain(path, error) from error
    except BaseException:
        os.close(descriptor)
        raise


class SqliteStore(OrderedStore):
    """Objects in one SQLite file."""

    def __init__(self, opened: _Opened, limits: Limits) -> None:
        super().__init__(limits, opened.state, opened.history, opened.revision)
        self._descriptor = opened.descriptor
        self._checkpointer = opened.checkpointer
        callbacks = Callbacks(self._loop, self._committed, self._refused)
        self._writer = Writer(opened.connection, callbacks, self._checkpointer, limits.wal_bytes)
        self._writer.discard(opened.dead)
        self._checkpointer.start()
        self._writer.start()

    @classmethod
    async def open(cls, path: Path, limits: Limits | None = None) -> SqliteStore:
        """Open or create the database at `path` (its directory exists). Raises `database.StoreOpenError` and its
        kinds: StoreLocked, StoreTooNew, StoreCorrupt."""
        limits = limits or Limits()
        try:
            opened = await asyncio.to_thread(_open, path, limits)
        except OSError as error:
            raise database.StoreOpenError(f"{path} cannot be opened: {error.strerror}") from error
        return cls(opened, limits)

    def _hand_over(self, writes: list[Write]) -> None:
        self._writer.submit(writes)

    def _superseded(self, revisions: list[int]) -> None:
        self._writer.discard(revisions)

    def _refused(self, reason: str) -> None:
        self._failed(reason)
        self._writer.resume()

    async def _release(self) -> None:
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._checkpointer.stop()
        self._writer.stop()  # the last connection to close: SQLite copies the log into the database and removes it
        os.close(self._descriptor)
