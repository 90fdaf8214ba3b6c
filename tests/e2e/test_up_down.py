"""The life of an instance as its owner sees it: up, twice, down, up again, beside another, and gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.network.features import SBIN
from tests.support.images import busybox_archive
from tests.support.kubectl_running import lines
from tests.support.machine import snapshot
from tests.support.program import PATIENTLY, Program, eventually
from tests.support.waiting import WITHIN

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "01-hello"
WEBSITE = ROOT / "examples" / "03-website"

# The manifest on the slide "Simple Manifest" of the EGI webinar, as it is.
TALK = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello-kubernetes
spec:
  replicas: 3
  selector:
    matchLabels:
      app: hello-kubernetes
  template:
    metadata:
      labels:
        app: hello-kubernetes
    spec:
      securityContext:
        runAsUser: 1000
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
      - name: hello-kubernetes
        image: paulbouwer/hello-kubernetes:1.9
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            drop:
            - ALL
        ports:
        - containerPort: 8080
"""


def status(program: Program) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(program.skerry("status", "-o", "json").stdout)
    return document


def url_of(program: Program) -> str:
    return f"http://{status(program)['nodePorts'].partition(':')[0]}:30080/"


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def run_example(program: Program) -> str:
    """What `make up` does with the first example; returns its URL."""
    context = ["--build-context", f"programs={Path(shutil.which('busybox') or '').parent}"]
    program.skerry("image", "build", "-t", "hello:1", *context, str(EXAMPLE))
    program.kubectl("apply", "-f", str(EXAMPLE))
    program.kubectl("rollout", "status", "deployment/hello", WITHIN)
    url = url_of(program)
    eventually(lambda: "Hello from Skerry" in page(url), f"{url} answering")
    return url


def run_website(program: Program) -> str:
    """What the README of the third example says; the page by HTTPS."""
    program.kubectl("apply", "-f", str(WEBSITE))
    for state in ("create", "condition=Ready"):
        program.kubectl("wait", f"--for={state}", "certificate/hello-tls", WITHIN)
    return eventually(lambda: website(program), "the website")


def website(program: Program) -> str:
    """The page, by a name and with a certificate that only the instance's authority vouches for."""
    context = ssl.create_default_context(cadata=program.skerry("ca").stdout)
    address = status(program)["nodePorts"].partition(":")[0]
    service = program.get("-n", "kube-system", "service", "ingress")
    (port,) = (one for one in service["spec"]["ports"] if one["name"] == "https")
    number = port["port"] if service["status"]["loadBalancer"].get("ingress") else port["nodePort"]
    plain = socket.create_connection((address, number), timeout=30)
    with context.wrap_socket(plain, server_hostname="hello.localhost") as connection:
        connection.sendall(b"GET / HTTP/1.0\r\nHost: hello.localhost\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def pods(program: Program) -> set[str]:
    return {pod["metadata"]["name"] for pod in program.get("pods", "-l", "app=hello")["items"]}


def ready_pods(program: Program) -> int:
    deployment = program.get("deployment", "hello")
    return int(deployment["status"].get("readyReplicas", 0))


def test_the_example_answers_and_comes_back_after_down(fresh_program: Program) -> None:
    before = snapshot()
    fresh_program.up()
    url = run_example(fresh_program)
    seen = pods(fresh_program)
    assert len(seen) == 3
    answered: set[str] = set()

    def all_pods_answered() -> bool:
        answered.update(name for name in seen if name in page(url))
        return answered == seen

    eventually(all_pods_answered, "every pod getting its share")
    assert "Hello from Skerry" in run_website(fresh_program)

    engine = fresh_program.engine_pid()
    assert "already running" in fresh_program.skerry("up", "--detach").stdout
    assert fresh_program.engine_pid() == engine

    marks = fresh_program.marks()
    fresh_program.down()
    assert snapshot().left_since(before, marks) == {}
    with pytest.raises(OSError):
        page(url)
    fresh_program.down()

    fresh_program.up()
    eventually(lambda: ready_pods(fresh_program) == 3, "the same apps back")
    eventually(lambda: "Hello from Skerry" in page(url), f"{url} answering again")
    eventually(lambda: "Hello from Skerry" in website(fresh_program), "the website again")
    assert pods(fresh_program) == seen


def test_of_two_starts_at_once_one_wins_and_the_other_does_no_harm(fresh_program: Program) -> None:
    command = [sys.executable, "-m", "skerry.cli.main", "up", "--detach", "--port", "0"]
    command += ["--data-dir", str(fresh_program.data_dir), *PATIENTLY]
    starts = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    answers = [start.communicate(timeout=240)[0] for start in starts]
    assert "ready in" in "".join(answers)
    assert {start.returncode for start in starts} <= {0, 1}, answers
    assert status(fresh_program)["ready"]


@pytest.fixture
def second_program() -> Iterator[Program]:
    with tempfile.TemporaryDirectory(prefix="skerry-e2e-") as directory:
        program = Program(Path(directory) / "data")
        try:
            yield program
        finally:
            program.skerry("clean", "--yes", check=False)


def test_two_instances_side_by_side(fresh_program: Program, second_program: Program) -> None:
    urls = {}
    for program in (fresh_program, second_program):
        program.up()
        urls[program] = run_example(program)
    for program, url in urls.items():
        answer = page(url)
        assert any(name in answer for name in pods(program)), "each answers with its own pods"
    assert urls[fresh_program] != urls[second_program]
    fresh_program.down()
    assert "Hello from Skerry" in page(urls[second_program]), "the other one goes on"


def test_clean_leaves_nothing(fresh_program: Program) -> None:
    before = snapshot()
    fresh_program.up()
    run_example(fresh_program)
    run_dir = Path(status(fresh_program)["paths"]["run"])
    marks = fresh_program.marks()
    fresh_program.skerry("clean", "--yes")
    assert snapshot().left_since(before, marks) == {}
    assert not fresh_program.data_dir.exists()
    assert not run_dir.exists()
    assert not (run_dir.parent / "instances" / f"{run_dir.name}.json").exists()


def test_a_killed_engine_is_swept_by_down(fresh_program: Program) -> None:
    before = snapshot()
    fresh_program.up()
    run_example(fresh_program)
    fresh_program.kill_engine()
    assert fresh_program.skerry("status", check=False).returncode == 4
    marks = fresh_program.marks()
    fresh_program.down()
    assert snapshot().left_since(before, marks) == {}


def test_the_talks_own_manifest_runs_unchanged(program: Program, namespace: str, tmp_path: Path) -> None:
    archive = busybox_archive(tmp_path, "paulbouwer/hello-kubernetes:1.9", ["/bin/httpd", "-f", "-p", "8080"])
    program.skerry("image", "load", str(archive))
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=TALK)
    program.kubectl("rollout", "status", "-n", namespace, "deployment/hello-kubernetes", WITHIN)
    pod = program.get("pods", "-n", namespace, "-l", "app=hello-kubernetes")["items"][0]
    inside = ["exec", "-n", namespace, pod["metadata"]["name"], "--"]
    assert program.kubectl(*inside, "id", "-u").stdout.strip() == "1000"
    rights = dict(
        line.split(":\t")[:2] for line in program.kubectl(*inside, "cat", "/proc/1/status").stdout.splitlines()
    )
    assert int(rights["CapEff"], 16) == 0
    assert int(rights["CapBnd"], 16) == 0
    assert rights["NoNewPrivs"] == "1"
    assert rights["Seccomp"] == "2"


def test_a_missing_package_is_one_line_and_nothing_is_started(tmp_path: Path) -> None:
    before = snapshot()
    programs = tmp_path / "bin"
    programs.mkdir()
    for directory in (*reversed(os.environ["PATH"].split(":")), *SBIN):
        for entry in Path(directory).glob("*") if Path(directory).is_dir() else ():
            if not entry.name.startswith("containerd") and not (programs / entry.name).is_symlink():
                (programs / entry.name).symlink_to(entry)
    command = [sys.executable, "-m", "skerry.cli.main", "up", "--detach", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": str(programs)})
    assert done.returncode == 3
    assert done.stderr == "skerry: containerd is missing: apt-get install containerd\n"
    assert not (tmp_path / "data").exists()
    assert snapshot().left_since(before, [str(tmp_path)]) == {}


def test_a_port_in_use_is_one_line_and_nothing_is_started(fresh_program: Program) -> None:
    before = snapshot()
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        done = fresh_program.skerry("up", "--detach", "--port", str(port), check=False)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert f"port {port} is in use" in done.stderr
    assert snapshot().left_since(before, [str(fresh_program.data_dir)]) == {}


def test_interrupting_the_foreground_stops_everything(fresh_program: Program) -> None:
    before = snapshot()
    command = [sys.executable, "-m", "skerry.cli.main", "up", "--port", "0", *PATIENTLY]
    command += ["--data-dir", str(fresh_program.data_dir)]
    attached = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        lines(attached, "Ctrl-C stops everything")
        assert status(fresh_program)["ready"]
        marks = fresh_program.marks()
        attached.send_signal(signal.SIGINT)
        output, _ = attached.communicate(timeout=120)
    finally:
        attached.kill()
    assert "stopping" in output, output
    assert snapshot().left_since(before, marks) == {}
    assert fresh_program.data_dir.is_dir(), "the state stays"
