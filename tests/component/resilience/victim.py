"""An API in a process of its own, whose memory is nobody else's: `python -m tests.component.resilience.victim`.

It prints where its kubeconfig is, and serves until its standard input ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skerry.testing import cluster


@dataclass(frozen=True)
class Victim:
    """The process and the way to its API."""

    pid: int
    kubeconfig: Path

    @property
    def resident(self) -> int:
        """Bytes in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def descriptors(self) -> int:
        """Files and sockets open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextmanager
def victim() -> Iterator[Victim]:
    """Start one, end it."""
    command = [sys.executable, "-m", "tests.component.resilience.victim"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield Victim(process.pid, Path(process.stdout.readline().strip()))
        finally:
            process.stdin.close()
            process.wait(120)


if __name__ == "__main__":
    with cluster(0) as served:
        print(served.kubeconfig, flush=True)
        sys.stdin.read()
