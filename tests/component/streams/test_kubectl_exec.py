"""exec, attach and cp by the real kubectl, over WebSockets and SPDY."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import termios
from pathlib import Path
from typing import BinaryIO

from tests.component.streams.local_pods import LocalPods
from tests.support.kubectl import Kubectl, over_each_transport
from tests.support.waiting import LIMIT, until

pytestmark = over_each_transport


async def test_output_errors_and_exit_code_arrive_apart(kubectl: Kubectl) -> None:
    done = await kubectl.run("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.code, done.out) == (3, b"out\n")
    assert done.err == "err\ncommand terminated with exit code 3\n"


async def test_stdin_reaches_its_end(kubectl: Kubectl) -> None:
    done = await kubectl.run("exec", "-i", "web", "--", "sh", "-c", "cat; echo end", stdin=b"fed\n")
    assert (done.code, done.out) == (0, b"fed\nend\n")


async def test_megabytes_both_ways_unchanged(kubectl: Kubectl) -> None:
    data = os.urandom(8 << 20)
    done = await kubectl.run("exec", "-i", "web", "--", "cat", stdin=data)
    assert done.out == data


async def test_a_process_that_never_reads_does_not_hang(kubectl: Kubectl) -> None:
    done = await kubectl.run("exec", "-i", "web", "--", "true", stdin=b"x" * (4 << 20))
    assert done.code == 0


async def test_a_missing_program_is_said(kubectl: Kubectl) -> None:
    done = await kubectl.run("exec", "web", "--", "no-such-program")
    assert done.code == 1
    assert "executable not found: no-such-program" in done.err


async def test_a_terminal_knows_its_size_and_its_changes(kubectl: Kubectl) -> None:
    master, slave = os.openpty()
    _resize(slave, 33, 101)
    until = "until [ \"$(stty size)\" = '%s' ]; do sleep 0.02; done; echo %s"
    script = f"{until % ('33 101', 'first')}; {until % ('40 120', 'second')}; exit 4"
    process = await kubectl.start("exec", "-it", "web", "--", "sh", "-c", script, terminal=slave)
    screen = os.fdopen(master, "rb+", buffering=0)
    await asyncio.to_thread(_until_shown, screen, b"first")
    _resize(slave, 40, 120)
    process.send_signal(signal.SIGWINCH)  # the kernel tells the terminal's own session only
    await asyncio.to_thread(_until_shown, screen, b"second")
    assert await asyncio.wait_for(process.wait(), LIMIT) == 4
    os.close(slave)
    screen.close()


async def test_the_process_ends_with_its_client(kubectl: Kubectl, pods: LocalPods) -> None:
    process = await kubectl.start("exec", "web", "--", "sh", "-c", "echo up; exec sleep 1000")
    assert process.stdout is not None
    await _until(process.stdout, b"up")
    process.kill()
    await process.communicate()
    running = pods.sessions[0]._process  # type: ignore[attr-defined]
    await until(lambda: running.returncode is not None)


async def test_attach_joins_the_main_process(kubectl: Kubectl, pods: LocalPods) -> None:
    pods.main = ("sh", "-c", "read x; echo got $x; exit 5")
    done = await kubectl.run("attach", "-i", "web", stdin=b"words\n")
    assert b"got words" in done.out
    assert done.code == 0, "attach reports that the streams ended, not how the container did"


async def test_cp_both_ways(kubectl: Kubectl, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    there.mkdir()
    source = tmp_path / "source.bin"
    source.write_bytes(os.urandom(3 << 20))
    assert (await kubectl.run("cp", str(source), f"web:{there}/copy.bin")).code == 0
    assert (there / "copy.bin").read_bytes() == source.read_bytes()
    assert (await kubectl.run("cp", f"web:{there}/copy.bin", str(back))).code == 0
    assert back.read_bytes() == source.read_bytes()


async def test_a_pod_that_is_not_there_is_an_answer(kubectl: Kubectl) -> None:
    done = await kubectl.run("exec", "nobody", "--", "true")
    assert (done.code, done.err) == (1, 'Error from server (NotFound): pods "nobody" not found\n')


async def test_mistakes_are_answers(kubectl: Kubectl) -> None:
    path = "/api/v1/namespaces/default/pods/web"
    for query, message in (
        ("command=x", "you must specify at least 1 of stdin, stdout, stderr"),
        ("command=x&stdout=1&container=nope", "container nope is not valid for pod web"),
        ("stdout=1", "you must specify at least one command for the container"),
        ("command=x&stdout=1", "Upgrade request required"),
    ):
        done = await kubectl.run("get", "--raw", f"{path}/exec?{query}")
        assert f"Error from server (BadRequest): {message}" in done.err


async def _until(reader: asyncio.StreamReader, text: bytes) -> None:
    await asyncio.wait_for(reader.readuntil(text), LIMIT)


def _resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _until_shown(screen: BinaryIO, text: bytes) -> None:
    """Read the terminal until it shows `text` (the test's own time limit ends the wait)."""
    seen = b""
    while text not in seen:
        seen += screen.read(1000)
