"""Starts modules of the engine as programs of their own: the engine itself, its stop, its questions to the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PROGRAM = "skerry.engine.program"
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def command_of(module: str, *words: str) -> list[str]:
    """How to start a module with the Python that runs this command."""
    return [sys.executable, "-m", module, *words]


def environment() -> dict[str, str]:
    """Ours, with the system's own program directories at the end of PATH, which `su` and cron leave out.

    A relative PYTHONPATH (as in a development checkout) would mean another directory to a process that starts in /.
    """
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    changed = {"PATH": os.pathsep.join([*path, *(one for one in _SBIN if one not in path)])}
    if modules := os.environ.get("PYTHONPATH"):
        changed["PYTHONPATH"] = os.pathsep.join(os.path.abspath(part) for part in modules.split(os.pathsep) if part)
    return {**os.environ, **changed}


def start_detached(data_dir: Path, log: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start the engine in a session of its own, so that no terminal's end or Ctrl-C reaches it; it logs to `log`.
    `words`: further arguments of the engine."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            command_of(PROGRAM, "--data-dir", str(data_dir), *words),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            cwd="/",
            env=environment(),
        )
    finally:
        os.close(descriptor)


def run_module(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module to its end, its output kept."""
    return subprocess.run(command_of(module, *words), capture_output=True, text=True, check=False, env=environment())


def follow_module(said: Callable[[str], None], module: str, *words: str) -> str:
    """Run a module to its end; `said` is called with each line as it comes. Returns why it failed, "" if not."""
    command = command_of(module, *words)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said(line.rstrip("\n"))
        _, errors = process.communicate()
    return (errors.strip() or f"it ended with code {process.returncode}") if process.returncode else ""


def size_of(path: Path) -> int:
    """A file's size in bytes, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def last_lines(path: Path, count: int, not_before: int = 0) -> list[str]:
    """The last lines of a log file, from the byte `not_before` on; [] if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(not_before, size - 400 * count) if not_before <= size else 0)
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
