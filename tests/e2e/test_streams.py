"""Streams into real containers at their edges: clients that vanish, containers that end, logs that go on."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from tests.support.kubectl import OVER_SPDY
from tests.support.kubectl_running import in_terminal, lines, running
from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN


@pytest.fixture(params=[{}, OVER_SPDY], ids=["websocket", "spdy"])
def _transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)


over_each_transport = pytest.mark.usefixtures("_transport")
POD = """
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, %r]
"""


def start(program: Program, namespace: str, script: str) -> None:
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=POD % script)
    program.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/box", WITHIN)


def inside(program: Program, namespace: str, *command: str) -> str:
    return program.kubectl("exec", "-n", namespace, "box", "--", *command).stdout


@over_each_transport
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_command_ends_with_its_client(program: Program, namespace: str, number: signal.Signals) -> None:
    start(program, namespace, "sleep 1000")
    with running(program, "exec", "-n", namespace, "box", "--", "sh", "-c", "echo up; exec sleep 4321") as process:
        lines(process, "up")
        assert "sleep 4321" in inside(program, namespace, "ps")
        process.send_signal(number)
        process.wait(120)
    eventually(lambda: "sleep 4321" not in inside(program, namespace, "ps"), "the command's end")


def test_a_command_ends_with_its_pod(program: Program, namespace: str) -> None:
    start(program, namespace, "sleep 1000")
    with running(program, "exec", "-n", namespace, "box", "--", "sh", "-c", "echo up; exec sleep 1000") as process:
        lines(process, "up")
        program.kubectl("delete", "-n", namespace, "pod/box", "--now")
        assert process.wait(120) == 137


@over_each_transport
def test_megabytes_through_a_container(program: Program, namespace: str) -> None:
    start(program, namespace, "sleep 1000")
    data = "0123456789abcdef" * (512 << 10)
    done = program.kubectl("exec", "-n", namespace, "-i", "box", "--", "cat", stdin=data)
    assert done.stdout == data


def test_following_ends_with_the_container(program: Program, namespace: str) -> None:
    start(program, namespace, "for i in 1 2 3 4 5 6; do echo line $i; sleep 0.3; done")
    followed = program.kubectl("logs", "-n", namespace, "-f", "box").stdout
    assert followed.startswith("line 1\n")
    assert followed.endswith("line 6\n")


def test_the_log_of_the_container_before(program: Program, namespace: str) -> None:
    start(program, namespace, "trap 'exit 1' TERM; cat /proc/sys/kernel/random/uuid; sleep 1000 & wait")
    first = eventually(lambda: program.kubectl("logs", "-n", namespace, "box").stdout, "its word")
    none = program.kubectl("logs", "-n", namespace, "--previous", "box", check=False)
    assert 'previous terminated container "main" in pod "box" not found' in none.stderr
    program.kubectl("exec", "-n", namespace, "box", "--", "kill", "1", check=False)  # may end with the container: 137

    def restarted() -> bool:
        status = program.get("-n", namespace, "pod/box")["status"]["containerStatuses"][0]
        return bool(status["restartCount"] == 1 and status["ready"])

    eventually(restarted, "the restart")
    assert program.kubectl("logs", "-n", namespace, "--previous", "box").stdout == first
    second = eventually(lambda: program.kubectl("logs", "-n", namespace, "box").stdout, "the other's word")
    assert second != first


def test_many_lines(program: Program, namespace: str) -> None:
    """Of 8.5 MB: at 10 MiB a log is rotated, and what is read is the new file."""
    start(program, namespace, "yes 'a line of some length to fill the log with' | head -n 100000; sleep 1000")

    def count() -> bool:
        return program.kubectl("logs", "-n", namespace, "box").stdout.count("\n") == 100_000

    eventually(count, "all lines")
    tail = program.kubectl("logs", "-n", namespace, "box", "--tail=3", "--timestamps").stdout
    assert len(re.findall(r"^\S+Z a line of some length", tail, re.MULTILINE)) == 3
    assert len(program.kubectl("logs", "-n", namespace, "box", "--limit-bytes=1000").stdout) == 1000


@over_each_transport
def test_a_shell_made_for_a_moment(program: Program, namespace: str) -> None:
    words = ("run", "-n", namespace, "-it", "--rm", "--restart=Never", "--image=busybox:test", "moment")
    with in_terminal(program, *words, "--", "sh") as terminal:
        terminal.type("\r")
        terminal.shows("# ")
        terminal.type("echo in $((40 + 2)); while ! stty size | grep '33 101'; do sleep 0.1; done\r")
        terminal.shows("in 42")
        terminal.shows("\n33 101")
        terminal.type("exit 5\r")
        assert terminal.process.wait(120) == 5
    look = ("get", "-n", namespace, "pod/moment")
    eventually(lambda: "not found" in program.kubectl(*look, check=False).stderr, "its end")


@over_each_transport
def test_forwarding_goes_on_after_a_failure(program: Program, namespace: str) -> None:
    start(program, namespace, "while true; do echo served | nc -l -p 8080; done")
    with running(program, "port-forward", "-n", namespace, "pod/box", ":8080") as forwarding:
        found = re.search(r"127\.0\.0\.1:(\d+)", lines(forwarding, "127.0.0.1")[-1])
        assert found
        words = ["busybox", "nc", "127.0.0.1", found[1]]

        def served() -> bool:
            """Between two connections nobody listens for a moment, and then nobody takes this one."""
            done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
            return done.stdout == "served\n"

        for _ in range(3):
            eventually(served, "an answer")
