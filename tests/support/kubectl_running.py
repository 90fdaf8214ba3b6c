"""kubectl in the background and in a terminal, for tests that talk with it while it runs."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.program import Program, program_path


@contextmanager
def running(program: Program, *words: str) -> Iterator[subprocess.Popen[str]]:
    """kubectl in the background, ended on the way out."""
    process = subprocess.Popen(
        _command(program, words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def lines(process: subprocess.Popen[str], until: str) -> list[str]:
    """Output up to the line that contains `until` (the test's time limit ends the wait)."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line.rstrip("\n"))
        if until in line:
            return seen
    raise AssertionError(f"{until!r} never came: {seen}")


class Terminal:
    """A program's terminal, from the outside."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self.process = process
        self._descriptor = descriptor
        self._unread = b""

    def type(self, text: str) -> None:
        """What a person would type."""
        os.write(self._descriptor, text.encode())

    def shows(self, text: str) -> None:
        """Wait until the terminal shows it, after what was seen before (the test's time limit ends the wait)."""
        while text.encode() not in self._unread:
            self._unread += os.read(self._descriptor, 4096)
        self._unread = self._unread.partition(text.encode())[2]

    def resize(self, rows: int, columns: int) -> None:
        """As when a person pulls at the window."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextmanager
def in_terminal(program: Program, *words: str) -> Iterator[Terminal]:
    """kubectl in a terminal of 33 rows and 101 columns, its own session; killed on the way out if it still runs."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    command = ["setsid", "--ctty", *_command(program, words)]
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _command(program: Program, words: tuple[str, ...]) -> list[str]:
    return [program_path("kubectl"), "--kubeconfig", str(program.kubeconfig), *words]
