"""The cgroup of one mounting program: who is in it, also after the engine has begun anew. Source: cgroups(7)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from skerry.engine.processes import ended

_CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpu", "memory", "pids")


class Cgroup:
    """`parent`: the instance's cgroup ("/skerry-ab12"); `name`: of this one."""

    def __init__(self, parent: str, name: str) -> None:
        below = Path(parent.strip("/")) / "storage" / name
        unified = (_CGROUPS / "cgroup.controllers").exists()
        roots = [_CGROUPS] if unified else [_CGROUPS / one for one in _CONTROLLERS if (_CGROUPS / one).is_dir()]
        self._directories = [root / below for root in roots]

    @property
    def procs(self) -> list[Path]:
        """Files to which a process writes itself in; the directories are made."""
        for directory in self._directories:
            directory.mkdir(parents=True, exist_ok=True)
        return [directory / "cgroup.procs" for directory in self._directories]

    def members(self) -> set[int]:
        """Process ids, without those that have ended and are not collected yet."""
        found: set[int] = set()
        for directory in self._directories:
            with contextlib.suppress(OSError):
                found.update(int(word) for word in (directory / "cgroup.procs").read_text().split())
        return {pid for pid in found if pid and not _is_zombie(pid)}

    async def empty(self, seconds: float) -> bool:
        """Wait until nobody is left, at most so long; whether that is so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while pids := self.members():
                    await asyncio.gather(*(ended(pid) for pid in pids))
        return not self.members()

    def kill(self) -> None:
        """Kill everybody."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Remove it, and what is above it, as far as they are empty."""
        for directory in self._directories:
            with contextlib.suppress(OSError):
                directory.rmdir()
                directory.parent.rmdir()
                directory.parent.parent.rmdir()


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
