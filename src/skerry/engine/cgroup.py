"""The cgroup of a helper program that outlives the engine: who is in it, also after the engine has begun anew.

Ingress' Caddy and the programs that mount volumes have one each, below the instance's. Works on cgroup v1 (a directory
per controller) and v2 (one for all). Source: cgroups(7).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from skerry.engine.processes import ended, reap

_ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpu", "memory", "pids")


class Cgroup:
    """`parent`: the instance's cgroup ("/skerry-ab12"); `name`: of this one, relative to it."""

    def __init__(self, parent: str, name: str) -> None:
        below = Path(parent.strip("/")) / name
        unified = (_ROOT / "cgroup.controllers").exists()
        roots = [_ROOT] if unified else [_ROOT / one for one in _CONTROLLERS if (_ROOT / one).is_dir()]
        self._directories = [root / below for root in roots]
        self._depth = len(Path(name).parts)

    def make(self) -> list[Path]:
        """Make it; the files to which whoever enters writes its process id. Raises OSError."""
        for directory in self._directories:
            directory.mkdir(parents=True, exist_ok=True)
        return [directory / "cgroup.procs" for directory in self._directories]

    def members(self) -> set[int]:
        """Process ids, without those that have ended and are not collected yet."""
        return {pid for pid in self._listed() if not _is_zombie(pid)}

    async def empty(self, seconds: float) -> bool:
        """Wait until nobody is left, at most so long; whether that is so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while pids := self.members():
                    await asyncio.gather(*(ended(pid) for pid in pids))
        return not self.members()

    async def end(self, seconds: float) -> bool:
        """Kill until nobody is left, at most so long; whether that is so. A process may fork while it is killed."""
        for pid in self._listed():
            reap(pid)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while pids := self.members():
                    for pid in pids:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                    await asyncio.gather(*(ended(pid) for pid in pids))
        return not self.members()

    def remove(self) -> None:
        """Remove it, and what is above it up to the instance's, as far as they are empty."""
        for directory in self._directories:
            with contextlib.suppress(OSError):
                for one in (directory, *directory.parents[: self._depth]):
                    one.rmdir()

    def _listed(self) -> set[int]:
        found: set[int] = set()
        for directory in self._directories:
            with contextlib.suppress(OSError):
                found.update(int(word) for word in (directory / "cgroup.procs").read_text().split())
        return found - {0}  # 0 is a process of another pid namespace


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
