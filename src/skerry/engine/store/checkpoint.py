"""Keeps SQLite's write-ahead log bounded, outside the commit path: a thread with its own connection.

The writer says when the log is large. The log's pages are then copied into the database while commits go on (PASSIVE);
only the few pages written meanwhile are copied with the writer held (RESTART), after which the log is written from its
beginning again. It is normally not truncated: overwriting a file needs less of the disk than growing it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from pathlib import Path

from skerry.engine.store.database import connect

_log = logging.getLogger(__name__)

_ALIVE = 1.0
"""Seconds after which whoever waits looks whether the thread has been stopped."""


class Checkpointer(threading.Thread):
    """Checkpoints when asked."""

    def __init__(self, path: Path, wal_bytes: int) -> None:
        super().__init__(name="store-checkpoint", daemon=True)
        self.commits = threading.Lock()
        """Held by the writer to commit, by this thread to start the log over."""
        self.generation = 0
        """How often the log has been started over; read with `commits` held."""
        self.paused = False
        """Whether `want` does nothing: copying would use up the room that is left."""
        self._asked = self._served = 0
        self._done = threading.Event()
        self._path = path
        self._wal_bytes = wal_bytes
        self._connection = connect(path)
        self._wanted = threading.Event()
        self._stopping = False

    def want(self) -> None:
        """Ask for a checkpoint soon."""
        if not self.paused:
            self._wanted.set()

    def finish(self) -> None:
        """Have a checkpoint made, and wait until it is, or has failed. For one thread at a time."""
        self._asked += 1
        self._wanted.set()
        while self.is_alive() and self._served < self._asked:
            self._done.wait(_ALIVE)
            self._done.clear()

    def stop(self) -> None:
        """End the thread and close its connection; waits for a checkpoint under way."""
        self._stopping = True
        self._wanted.set()
        self.join()
        self._connection.close()

    def run(self) -> None:
        """Serve requests until stopped."""
        if self._wal_size() > self._wal_bytes // 4:  # left by a crash; without this, crash after crash would add up
            self.want()
        while self._wanted.wait():
            self._wanted.clear()
            if self._stopping:
                return
            asked = self._asked
            try:
                self._checkpoint()
            except sqlite3.Error as error:  # disk full, most likely: the next request tries again
                _log.warning("checkpoint of %s failed: %s", self._path, error)
            self._served = asked
            self._done.set()

    def _checkpoint(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        oversized = self._wal_size() > 2 * self._wal_bytes
        with self.commits:
            mode = "TRUNCATE" if oversized else "RESTART"
            busy, _, _ = self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            if not busy:
                self.generation += 1

    def _wal_size(self) -> int:
        return os.stat(f"{self._path}-wal").st_size
