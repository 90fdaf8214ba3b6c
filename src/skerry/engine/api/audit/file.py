"""The audit log's file: JSON lines, 0600, written in batches by a thread, rotated by size, bounded on disk.

What the event loop does for an event is to put its line in a list. A batch is written a moment after its first line,
and at the end; lines that the disk cannot take in time are dropped, counted and logged, because an audit log must not
stop the API (Kubernetes' `--audit-log-mode=batch`).
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

DELAY = 0.1
"""Seconds a line may wait."""
LIMIT_BYTES, KEPT = 32 << 20, 4
"""A file's size, and how many older ones stay (`audit.log.1` is the newest of them)."""
MOST_WAITING = 16 << 20


class AuditFile:
    """Open from the first line on; `close` writes what waits."""

    def __init__(self, path: Path, limit: int = LIMIT_BYTES, kept: int = KEPT) -> None:
        self.path = path
        self.dropped = 0
        self._limit, self._kept = limit, kept
        self._lines: list[bytes] = []
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None

    def add(self, line: bytes) -> None:
        """Write a line, without its end, soon."""
        if self._waiting + len(line) > MOST_WAITING:
            self.dropped += 1
            return
        self._lines.append(line)
        self._waiting += len(line) + 1
        if self._timer is None and self._writing is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._begin)

    async def close(self) -> None:
        """Write what waits. Harmless twice."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._writing is not None or self._lines:
            if self._writing is None:
                self._begin()
            assert self._writing is not None
            await asyncio.wait({self._writing})

    def _begin(self) -> None:
        self._timer = None
        lines, self._lines, self._waiting = self._lines, [], 0
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, self._write, b"\n".join([*lines, b""]))
        self._writing.add_done_callback(self._written)

    def _written(self, done: asyncio.Future[None]) -> None:
        self._writing = None
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("the audit log cannot be written: %s", error)
        if self.dropped:
            log.error("%s audit events were dropped: the disk is too slow", self.dropped)
            self.dropped = 0
        if self._lines and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._begin)

    def _write(self, block: bytes) -> None:
        """In a thread."""
        if self.path.exists() and self.path.stat().st_size + len(block) > self._limit:
            self._rotate()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(block)

    def _rotate(self) -> None:
        """Every file becomes the next older one; the oldest goes."""
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{n}") for n in range(1, self._kept + 1))]
        for older, newer in zip(reversed(names), list(reversed(names))[1:], strict=False):
            if newer.exists():
                newer.replace(older)
