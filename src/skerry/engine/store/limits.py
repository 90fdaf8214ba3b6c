"""How much a store keeps. Chosen by whoever opens it; the defaults suit one machine.

History costs memory and disk alike: the superseded states it holds on to are counted in bytes, the changes by number.
"""

from __future__ import annotations

from skerry.kube.records import record

MIB = 1024 * 1024


@record
class Limits:
    """Bounds of one store. The newest change is kept whatever the limits: it carries the revision over a restart."""

    history_count: int = 10_000
    """Changes kept for watches and lists that start in the past."""
    history_bytes: int = 8 * MIB
    """Bytes of superseded and deleted states those changes may hold."""
    watch_buffer: int = 4096
    """Changes a watcher may lag behind before it is cut off."""
    watch_bytes: int = 32 * MIB
    """Bytes of new states a watcher may lag behind before it is cut off: its buffer keeps them from being freed."""
    reserve_bytes: int = 8 * MIB
    """Room held back on the disk for what must be written when it is full: enough for hours of it."""
    wal_bytes: int = 16 * MIB
    """Size of SQLite's write-ahead log at which it is checkpointed and started over."""
