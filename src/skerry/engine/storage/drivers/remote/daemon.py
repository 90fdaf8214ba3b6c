"""A mounting program's life: started so that it outlives the engine, found again by its cgroup, ended without hanging.

Neighbours: `workplace` (its files), `sandbox.sh` (what it sees), `fuse` (its connection). Nothing here asks the mounted
file system but from a thread of its own, with a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.processes import ended
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.drivers import programs
from skerry.engine.storage.drivers.remote import fuse
from skerry.engine.storage.drivers.remote.workplace import Workplace
from skerry.kube.records import record
from skerry.kube.threads import in_own_thread

log = logging.getLogger(__name__)

CONNECTION = "{connection}"
"""In a command: the path of the FUSE connection that the engine has mounted."""
_START = 25.0
"""Seconds within which a program serves its file system, or has said why not."""
_KILLED = 5.0
_HERE = Path(__file__).parent
_SANDBOX = ("unshare", "--mount", "--propagation", "unchanged", "sh", str(_HERE / "sandbox.sh"))


@record
class Program:
    """How a volume is mounted. No secret is in `command` or `environment`: those are in `files`, below /own there."""

    kind: str
    """The name of the program and of its file system type."""
    package: str
    command: Sequence[str]
    files: Mapping[str, bytes]
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts_itself: bool = False
    """It mounts at /own/mnt and drops its rights then; others are given a connection."""
    asks_fusermount: bool = False
    read_only: bool = False
    check_modes: bool = False


class Daemon:
    """The program that serves the file system at `point`. `grace`: seconds it has for what is on its way at the end."""

    def __init__(self, workplace: Workplace, point: Path, grace: float) -> None:
        self._at = workplace
        self._point = point
        self._grace = grace
        self._children: set[int] = set()

    def is_alive(self) -> bool:
        """Whether it serves its file system there, as far as can be told without asking."""
        return fuse.is_mounted(self._point) and bool(self._at.cgroup.members())

    async def gone(self) -> None:
        """Return when one of its processes has ended that was there."""
        if pids := self._at.cgroup.members():
            await ended(min(pids))

    async def start(self, program: Program) -> None:
        """Mount. Raises StorageError with what the program said, after everything is taken back; OSError."""
        if programs.find(program.kind if not program.mounts_itself else program.command[0]) is None:
            why = f"{program.kind} is missing on this machine: apt-get install {program.package}"
            raise StorageError("FAILED_PRECONDITION", why)
        await self.stop(grace=0)
        files = dict(program.files)
        if program.asks_fusermount:
            shim = (_HERE / "fusermount.py").read_text()
            files["fusermount"] = f"#!{os.path.realpath(sys.executable)} -IS\n{shim}".encode()
        await asyncio.to_thread(self._at.prepare, files)
        try:
            await (self._start_alone(program) if program.mounts_itself else self._start_connected(program))
        except (StorageError, OSError, TimeoutError) as error:
            said = self._at.said().strip()
            await self.stop(grace=0)
            raise Unmounted(said or str(error) or "it did not answer") from error

    async def stop(self, grace: float | None = None) -> None:
        """Take the mount down, let what is on its way arrive, end the program, whatever state it is in."""
        self._children |= self._at.cgroup.members()
        number = fuse.connection(self._point) or fuse.connection(self._at.own / "mnt")
        mounts.unmount_all(self._point)
        mounts.unmount_all(self._at.own / "mnt")
        if not await self._at.cgroup.empty(self._grace if grace is None else grace):
            if grace is None:
                log.warning("%s: its program is ended before it was done: the server does not answer", self._point)
            fuse.abort(number)
            if not await self._at.cgroup.end(_KILLED):
                raise StorageError("UNAVAILABLE", f"processes {sorted(self._at.cgroup.members())} do not end")
        await self._collect()
        await asyncio.to_thread(self._at.clear)

    async def _collect(self) -> None:
        """Leave no zombie: one of our children may have ended but for its last threads."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_KILLED):
                await asyncio.gather(*(ended(pid) for pid in self._children))
        self._children.clear()

    async def _start_connected(self, program: Program) -> None:
        descriptor = fuse.open_and_mount(
            self._point, program.kind, self._at.user, read_only=program.read_only, check_modes=program.check_modes
        )
        try:
            self._spawn(program, descriptor)
        finally:
            os.close(descriptor)
        await in_own_thread(_START, os.stat, self._point)

    async def _start_alone(self, program: Program) -> None:
        pid = self._spawn(program, None)
        async with asyncio.timeout(_START):
            await ended(pid)
        inside = self._at.own / "mnt"
        if not fuse.is_mounted(inside):
            raise StorageError("UNAVAILABLE", f"{program.kind} did not mount")
        await in_own_thread(_START, os.stat, inside)
        mounts.bind(str(inside), self._point)

    def _spawn(self, program: Program, descriptor: int | None) -> int:
        at, base = self._at, sys.base_prefix
        python = base if program.asks_fusermount and not Path(base).is_relative_to("/usr") else ""
        environment = {"PATH": programs.search_path(), "HOME": "/own", "LC_ALL": "C.UTF-8", **program.environment}
        environment["JOIN"] = " ".join(str(path) for path in at.cgroup.make())
        if descriptor is not None:
            environment["SKERRY_FUSE"] = str(descriptor)
        kind = "mount" if program.mounts_itself else "drop"
        words = [word.replace(CONNECTION, f"/dev/fd/{descriptor}") for word in program.command]
        arguments: list[str | Path] = [at.memory / "root", at.own, at.disk, str(at.user), python, kind]
        with contextlib.ExitStack() as stack:
            log = at.log()
            stack.callback(os.close, log)
            process = subprocess.Popen(
                [*_SANDBOX, *arguments, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=() if descriptor is None else (descriptor,),
                cwd="/",
                umask=0o077,
                start_new_session=True,
                env=environment,
            )
        process.returncode = 0  # it is not waited for here: without this, collecting the object would warn
        self._children.add(process.pid)
        return process.pid


class Unmounted(Exception):
    """A program that could not mount; what it said is the text."""
