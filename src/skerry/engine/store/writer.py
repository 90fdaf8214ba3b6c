"""The one thread that writes to the database: group commit.

It takes everything the event loop handed over while the previous commit ran and inserts it with ONE statement, which
is its own transaction. One statement, because Python's sqlite3 gives up the interpreter's lock around every step: a
commit of many steps would wait for a busy event loop many times.

Invariants
- Commits happen in the order of `submit`; `committed` and `failed` are called on the loop in that order.
- After a failed commit everything still queued is dropped unseen until the loop, having undone the ordering of those
  writes, calls `resume`.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from functools import cache
from queue import Empty, SimpleQueue

import orjson

from skerry.engine.store.checkpoint import Checkpointer
from skerry.engine.store.ordered import Write
from skerry.kube.records import record

_log = logging.getLogger(__name__)

_BATCH = 128
"""Writes in one commit at most: bounds the statement's size."""
_PRUNE = 256
"""Dead rows worth a transaction of their own."""
_PAGE = 4096
_ROW = 128
"""Bytes of a row beside its value, roughly."""

_RESUME = "resume"
_STOP = "stop"


@record
class Callbacks:
    """Where the writer reports; called on the loop."""

    loop: AbstractEventLoop
    committed: Callable[[list[Write]], None]
    failed: Callable[[str], None]


@cache
def _insert(rows: int) -> str:
    return "INSERT INTO log VALUES " + ",".join(["(?,?,?,?,?,?)"] * rows)  # noqa: S608 - no value in it


class Writer(threading.Thread):
    """Owns `connection` from `start` until `stop` returns."""

    def __init__(
        self, connection: sqlite3.Connection, callbacks: Callbacks, checkpointer: Checkpointer, wal_bytes: int
    ) -> None:
        super().__init__(name="store-writer", daemon=True)
        self._connection = connection
        self._callbacks = callbacks
        self._checkpointer = checkpointer
        self._commits = checkpointer.commits
        self._queue: SimpleQueue[list[Write] | str] = SimpleQueue()
        self._held: list[Write] = []
        self._dead: deque[int] = deque()
        self._wal_limit = wal_bytes
        self._wal_written = 0
        self._wal_generation = 0

    def submit(self, writes: list[Write]) -> None:
        """Queue writes for the next commit."""
        self._queue.put(writes)

    def discard(self, revisions: list[int]) -> None:
        """Rows to delete when there are enough of them."""
        self._dead.extend(revisions)

    def resume(self) -> None:
        """After a failure: what is submitted from now on is to be written again."""
        self._queue.put(_RESUME)

    def stop(self) -> None:
        """Finish what is queued, end the thread, close the connection."""
        self._queue.put(_STOP)
        self.join()
        self._connection.close()

    def run(self) -> None:
        """Commit batches until stopped."""
        try:
            while (batch := self._next_batch()) is not None:
                self._commit(batch)
                self._prune()
        except RuntimeError as error:  # the loop was closed without closing the store: nobody is left to answer
            _log.warning("store writer ends: %s", error)

    def _next_batch(self) -> list[Write] | None:
        """At least one write, at most `_BATCH`; None to stop. Waits."""
        batch = self._held
        while not batch:
            item = self._queue.get()
            if item is _STOP:
                return None
            if not isinstance(item, str):
                batch = item
        while len(batch) < _BATCH:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if isinstance(item, str):  # only _STOP can come here; nothing is submitted after it
                self._queue.put(item)
                break
            batch = batch + item
        self._held = batch[_BATCH:]
        return batch[:_BATCH]

    def _commit(self, batch: list[Write]) -> None:
        parameters: list[object] = []
        size = _PAGE
        for write in batch:
            entry = write.entry
            parameters += (entry.revision, write.type, *entry.key, entry.value)
            size += len(entry.value) + _ROW
        try:
            self._execute(_insert(len(batch)), parameters, size)
        except sqlite3.Error as error:
            self._fail(str(error))
        else:
            self._callbacks.loop.call_soon_threadsafe(self._callbacks.committed, batch)

    def _execute(self, statement: str, parameters: list[object], size: int) -> None:
        with self._commits:
            if self._wal_generation != self._checkpointer.generation:
                self._wal_generation = self._checkpointer.generation
                self._wal_written = 0
            try:
                self._connection.execute(statement, parameters)
            finally:
                if self._connection.in_transaction:
                    self._connection.rollback()
        self._wal_written += size + _PAGE  # a page begun before is written again, and so is the one above it
        if self._wal_written > self._wal_limit:
            self._checkpointer.want()

    def _fail(self, reason: str) -> None:
        _log.error("a commit failed, its writes are refused: %s", reason)
        self._held = []
        self._checkpointer.finish()  # starting the log over may be what makes room
        self._callbacks.loop.call_soon_threadsafe(self._callbacks.failed, reason)
        while self._queue.get() is not _RESUME:
            pass  # ordered after the failed write; the loop has refused it

    def _prune(self) -> None:
        """Delete rows nobody needs. Not urgent: waits while writes wait, unless they never stop."""
        due = len(self._dead)
        busy = bool(self._held) or not self._queue.empty()
        if due < (4 * _PRUNE if busy else _PRUNE):
            return
        revisions = [self._dead.popleft() for _ in range(due)]
        try:
            self._execute(
                "DELETE FROM log WHERE revision IN (SELECT value FROM json_each(?))",
                [orjson.dumps(revisions).decode()],
                due * _PAGE // 2,
            )
        except sqlite3.Error as error:
            self._dead.extendleft(reversed(revisions))
            _log.warning("superseded rows stay for now: %s", error)
