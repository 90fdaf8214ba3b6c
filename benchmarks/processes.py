"""The engine's own processes, and what they use, from /proc.

Counted: the engine and all it started, but not containerd, its shims, the runtime, and what runs in containers.
"""

from __future__ import annotations

import os
from pathlib import Path

_NOT_OURS = ("containerd", "runc", "crun")
_TICKS = os.sysconf("SC_CLK_TCK")


def engine_processes(engine: int) -> list[int]:
    """The engine's process id and those of its descendants that count."""
    found, todo = [], [engine]
    children = _children()
    while todo:
        pid = todo.pop()
        if not _name(pid).startswith(_NOT_OURS):
            found.append(pid)
            todo += children.get(pid, [])
    return found


def resident_megabytes(pids: list[int]) -> float:
    """The sum of their resident sets (VmRSS), in 10^6 bytes."""
    return sum(_kilobytes(pid) for pid in pids) * 1024 / 1e6


def cpu_seconds(pids: list[int]) -> float:
    """CPU time they have used, in user and system mode."""
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / _TICKS


def _kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, parent, ... (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(_stat(int(directory.name))[1])
        except OSError:  # it has ended
            continue
        found.setdefault(parent, []).append(int(directory.name))
    return found
