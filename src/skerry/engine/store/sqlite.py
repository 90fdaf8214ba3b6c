"""The durable store: SQLite beneath the shared ordering. `await SqliteStore.open(path)` is the way in.

The event loop's thread orders writes and answers reads from memory; `writer` commits; `checkpoint` bounds the log;
`database` knows the file. Nothing here waits for the disk on the loop.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

from skerry.engine.store import database
from skerry.engine.store.checkpoint import Checkpointer
from skerry.engine.store.contract import Key, StoreFull
from skerry.engine.store.history import History
from skerry.engine.store.limits import Limits
from skerry.engine.store.ordered import OrderedStore, Write
from skerry.engine.store.reserve import Reserve, WriteType, may_use_reserve
from skerry.engine.store.state import State
from skerry.engine.store.writer import Callbacks, Writer
from skerry.kube.records import record

_NO_ROOM = "there is no room on the disk"


@record
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
    reserve: Reserve


def _open(path: Path, limits: Limits) -> _Opened:
    descriptor = database.lock(path)
    try:
        connection = database.prepare(path)
        try:
            loaded = database.load(connection, limits)
            reserve = Reserve(path.with_name(f"{path.name}-reserve"), limits.reserve_bytes)
            reserve.take()
            return _Opened(path, descriptor, connection, *loaded, Checkpointer(path, limits.wal_bytes), reserve)
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
        self._reserve = opened.reserve
        self._regaining: asyncio.Future[bool] | None = None
        self._trouble = "" if self._reserve.held else _NO_ROOM
        callbacks = Callbacks(self._loop, self._committed, self._refused)
        self._checkpointer.paused = bool(self._trouble)
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

    def _committed(self, writes: list[Write]) -> None:
        super()._committed(writes)
        if self._trouble:
            self._regain()

    def _set_trouble(self, reason: str) -> None:
        self._checkpointer.paused = bool(reason)
        super()._set_trouble(reason)

    def _refused(self, reason: str) -> None:
        self._reserve.give_up()
        self._failed(reason)
        self._writer.resume()

    async def _admit(self, kind: WriteType, key: Key) -> None:
        if may_use_reserve(kind, key):
            return
        before = self._regaining  # of somebody else: there may have come room since it looked
        if await asyncio.shield(self._regain()) or (before and await asyncio.shield(self._regain())):
            return
        raise StoreFull(self._trouble or _NO_ROOM)

    def _regain(self) -> asyncio.Future[bool]:
        """Try whether there is room again, once for all who ask meanwhile."""
        if self._regaining is None:
            self._regaining = asyncio.ensure_future(asyncio.to_thread(self._reserve.retake))
            self._regaining.add_done_callback(self._regained)
        return self._regaining

    def _regained(self, done: asyncio.Future[bool]) -> None:
        self._regaining = None
        if done.result():
            self._set_trouble("")

    async def _release(self) -> None:
        if self._regaining is not None:
            await asyncio.wait([self._regaining])
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._checkpointer.stop()
        self._writer.stop()  # the last connection to close: SQLite copies the log into the database and removes it
        os.close(self._descriptor)
