"""What programs run for people may take, and how they end."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

from skerry.platform.base.leashing import bound, leash
from tests.support.waiting import eventually


def test_a_process_is_bound() -> None:
    with subprocess.Popen(["sleep", "1000"]) as process:
        bound(process.pid, 7)
        try:
            assert resource.prlimit(process.pid, resource.RLIMIT_CPU) == (7, 12)
            assert resource.prlimit(process.pid, resource.RLIMIT_AS) == (2 << 30, 2 << 30)
            assert resource.prlimit(process.pid, resource.RLIMIT_CORE) == (0, 0)
        finally:
            process.kill()
    bound(process.pid, 7)  # who is gone needs no bounds


def test_a_leashed_program_ends_with_who_started_it() -> None:
    start = f"import subprocess; print(subprocess.Popen({[*leash(), 'sleep', '1000']!r}).pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        eventually(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n", "the program to be on its leash")
        parent.send_signal(signal.SIGKILL)

    eventually(lambda: not _lives(child), "the end of the child")


def _lives(pid: int) -> bool:
    """Not as one of whose end its new parent has to take note."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
