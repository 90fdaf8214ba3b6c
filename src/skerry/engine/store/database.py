"""The SQLite file: lock, schema, connections, and reading it at the start.

One append-only table, `log`, is both the current state and the history: a row per change, keyed by revision, holding
the object as that change left it. Rows that are neither current nor in history are deleted. Revisions rise by one, so a
missing row tells that history starts after the change which superseded it; nothing else has to be recorded.

Invariants
- One process has the database open: an flock on `<path>.lock`, which dies with the process. (Not on the file itself:
  closing a second descriptor of it would drop SQLite's own POSIX locks.)
- The file, its lock and SQLite's companions are 0600.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import sys
from pathlib import Path
from typing import Literal

from skerry.engine.store.contract import Entry, Key, StoreError
from skerry.engine.store.history import History
from skerry.engine.store.limits import Limits
from skerry.engine.store.ordered import FIRST_REVISION
from skerry.engine.store.state import State

APPLICATION_ID = 0x536B7279
"""Marks a database as ours ("Skry"), as `PRAGMA application_id` is meant to."""
SCHEMA_VERSION = 1
"""Raised with every change old programs could not read; kept in `PRAGMA user_version`."""

_SCHEMA = """
CREATE TABLE log (
    revision INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL
)
"""


class StoreOpenError(StoreError):
    """The database cannot be opened."""


class StoreLocked(StoreOpenError):
    """Another process has the database open."""


class StoreTooNew(StoreOpenError):
    """A newer Skerry wrote the database."""


class StoreCorrupt(StoreOpenError):
    """The file is damaged, or not a Skerry database."""


def lock(path: Path) -> int:
    """Hold the database for this process; the descriptor to close to let go. Raises StoreLocked."""
    descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreLocked(f"{path} is in use by another Skerry") from None
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode, usable from one thread at a time, that never checkpoints by itself."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def prepare(path: Path) -> sqlite3.Connection:
    """Create the database if it is not there, check it if it is. Raises StoreTooNew, StoreCorrupt, StoreOpenError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite's companions copy its mode
    path.chmod(0o600)
    try:
        connection = connect(path)
        try:
            _check_or_create(path, connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explain(path, error) from error
    return connection


def explain(path: Path, error: sqlite3.Error) -> StoreOpenError:
    """What an SQLite error met while opening means."""
    damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    if damaged:
        return StoreCorrupt(f"{path} is damaged ({error}): restore it from a backup or move it away")
    return StoreOpenError(f"{path} cannot be opened: {error}")


def _check_or_create(path: Path, connection: sqlite3.Connection) -> None:
    version = _pragma(connection, "user_version")
    if version > SCHEMA_VERSION:
        raise StoreTooNew(f"{path} has schema version {version}; this Skerry knows up to {SCHEMA_VERSION}: upgrade it")
    if _pragma(connection, "application_id") == APPLICATION_ID:
        _check_pages(path, connection)
    elif connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreCorrupt(f"{path} is a database, but not Skerry's")
    else:
        _create(path, connection)


def _create(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_SCHEMA)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)  # the file's name must survive a power cut as its content does
    finally:
        os.close(directory)


def _check_pages(path: Path, connection: sqlite3.Connection) -> None:
    problems = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    if problems != ["ok"]:
        raise StoreCorrupt(f"{path} is damaged ({problems[0]}): restore it from a backup or move it away")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def load(connection: sqlite3.Connection, limits: Limits) -> tuple[State, History, int, list[int]]:
    """Replay the log: the state, the history, the revision, and the revisions whose rows may be deleted."""
    state, history, revision = State(), History(limits, FIRST_REVISION), FIRST_REVISION
    rows = connection.execute("SELECT revision, type, resource, namespace, name, value FROM log ORDER BY revision")
    dead: list[int] = []
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    for number, type, resource, namespace, name, value in rows:
        key = Key(sys.intern(resource), sys.intern(namespace), name)
        change = state.apply(type, Entry(key, number, value))
        if number != revision + 1:
            dead += history.restart(number - 1)
        if type != "ADDED" and change.previous is None:  # its row is gone, so history starts after this change
            dead += history.restart(number)
            if type == "DELETED":
                dead.append(number)
        else:
            history.append(change)
        revision = number
    dead += history.trim()
    # The latest row stays, whatever it is: it carries the revision over a restart.
    return state, history, revision, [number for number in dead if number != revision]
