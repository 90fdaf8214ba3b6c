"""The engine's own process: its pid file, and ending the engine of an instance from outside.

A pid is believed only together with the process's start time, so that a number used again is never mistaken for us.
Source of the start time: proc(5), /proc/<pid>/stat field 22.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

from skerry.engine.config import EngineConfig

_STOP_SECONDS = 20.0


@contextlib.contextmanager
def pid_file(config: EngineConfig) -> Iterator[None]:
    """Our process id and start time in `<run>/engine.pid` while entered."""
    path = config.paths.engine_pid
    fresh = path.with_suffix(".new")
    fresh.write_text(f"{os.getpid()} {_start_time(os.getpid())}\n")
    fresh.chmod(0o600)
    fresh.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def end_engine(config: EngineConfig) -> None:
    """End the instance's engine if one runs: SIGTERM, then SIGKILL. Returns when it is gone."""
    pid = _running_engine(config)
    if pid is None:
        config.paths.engine_pid.unlink(missing_ok=True)
        return
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
                os.kill(pid, number)
                if select.select([descriptor], [], [], seconds)[0]:
                    break
        finally:
            os.close(descriptor)
    config.paths.engine_pid.unlink(missing_ok=True)


def _running_engine(config: EngineConfig) -> int | None:
    try:
        pid, started = config.paths.engine_pid.read_text().split()
        return int(pid) if _start_time(int(pid)) == started else None
    except (OSError, ValueError, IndexError):
        return None


def _start_time(pid: int) -> str:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
