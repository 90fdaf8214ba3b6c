"""Processes of this instance, recognised by our own paths in their arguments or by our cgroups; never by name alone.

Source: proc(5), pidfd_open(2). Shims carry `-address <our socket>`, containerd carries `--config <our file>`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from skerry.engine.processes import reap
from skerry.kube.records import record

_PROC = Path("/proc")


@record
class Process:
    """A process at one moment."""

    pid: int
    arguments: tuple[str, ...]


def running() -> list[Process]:
    """All processes with arguments (kernel threads and zombies have none)."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
                if words:
                    found.append(Process(int(entry.name), tuple(os.fsdecode(word) for word in words)))
    return found


def with_option(processes: Iterable[Process], option: str, value: str) -> list[int]:
    """Those that were given `option value`, as two arguments next to each other."""
    return [process.pid for process in processes if _has_pair(process.arguments, option, value)]


def containerds(config_file: Path) -> list[int]:
    """containerd processes running with this configuration: ours."""
    return with_option(running(), "--config", str(config_file))


def shims(socket: Path, sandbox_id: str = "") -> list[int]:
    """Shims that report to this containerd socket: all, or that of one sandbox."""
    return [pid for pid, its in sandboxes_of_shims(socket).items() if sandbox_id in ("", its)]


def sandboxes_of_shims(socket: Path) -> dict[int, str]:
    """The shims that report to this containerd socket, and the sandbox each was started for."""
    ours = [process for process in running() if _after(process.arguments, "-address") == str(socket)]
    return {process.pid: sandbox for process in ours if (sandbox := _after(process.arguments, "-id"))}


def kill_and_wait(pids: Sequence[int], seconds: float = 5.0) -> list[int]:
    """SIGKILL, then wait until they are gone; returns those that are still there after `seconds`. Blocks."""
    descriptors = {pid: fd for pid in pids if (fd := _open(pid)) is not None}
    try:
        for descriptor in descriptors.values():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        deadline = time.monotonic() + seconds
        stayed = [pid for pid, fd in descriptors.items() if not _ended(fd, deadline - time.monotonic())]
        for pid in descriptors:
            reap(pid)
        return stayed
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)


def _open(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _ended(descriptor: int, seconds: float) -> bool:
    """A pidfd becomes readable when its process ends."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def _has_pair(arguments: Sequence[str], option: str, value: str) -> bool:
    return any(one == option and other == value for one, other in itertools.pairwise(arguments))


def _after(arguments: Sequence[str], option: str) -> str:
    return next((other for one, other in itertools.pairwise(arguments) if one == option), "")
