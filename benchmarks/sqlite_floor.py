"""The floor of POST: SQLite alone, durable, as many rows of the same size in one commit as there are connections."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path


def group_commits_per_second(rows: int, size: int, directory: Path, seconds: float = 2.0) -> float:
    """Rows of `size` bytes written per second, `rows` of them in each commit, WAL and synchronous=FULL."""
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        connection = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("CREATE TABLE log (revision INTEGER PRIMARY KEY, name TEXT, value BLOB)")
            return _write(connection, rows, b"x" * size, seconds)
        finally:
            connection.close()


def _write(connection: sqlite3.Connection, rows: int, value: bytes, seconds: float) -> float:
    written, start = 0, time.perf_counter()
    while (took := time.perf_counter() - start) < seconds:
        connection.execute("BEGIN")
        batch = [(number, f"name-{number}", value) for number in range(written, written + rows)]
        connection.executemany("INSERT INTO log VALUES (?, ?, ?)", batch)
        connection.execute("COMMIT")
        written += rows
    return written / took
