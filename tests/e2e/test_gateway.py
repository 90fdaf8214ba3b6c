"""Streams of kubectl through the platform's gateway, into real containers: as without it, until access ends."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.images import busybox_archive
from tests.support.kubectl import OVER_SPDY
from tests.support.program import Program, program_path
from tests.support.signed_in import signed_in
from tests.support.waiting import LIMIT, WITHIN, eventually

USER = "anna"
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "echo begun; echo page > /www/index.html; exec httpd -f -p 8080 -h /www"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
"""
PERSON = """
apiVersion: skerry.dev/v1alpha1
kind: User
metadata: {name: %(user)s}
spec: {username: %(user)s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: editors, namespace: %(namespace)s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %(user)s}]
"""


class Person:
    """Somebody who is signed in, and works by kubectl."""

    def __init__(self, program: Program, namespace: str, folder: Path) -> None:
        self._program, self._folder = program, folder
        announced = program.get("-n", "kube-public", "configmap/skerry-platform")["data"]
        self._url, self._ca = announced["url"], base64.b64encode(announced["ca.crt"].encode()).decode()
        self._namespace = namespace
        self.environment: Mapping[str, str] = {}
        """Of kubectl, beside ours."""

    def signs_in(self, name: str) -> None:
        """As a session of this name."""
        signed_in(self._program, USER, name, name=name, kind="CommandLine")
        user = {"name": "u", "user": {"token": name}}
        cluster = {"name": "c", "cluster": {"server": f"{self._url}/k8s", "certificate-authority-data": self._ca}}
        context = {"name": "x", "context": {"cluster": "c", "user": "u", "namespace": self._namespace}}
        config = {"clusters": [cluster], "users": [user], "contexts": [context], "current-context": "x"}
        (self._folder / "kubeconfig").write_text(json.dumps(config))
        eventually(lambda: self.kubectl("auth", "whoami").returncode == 0, "the session")

    def kubectl(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(words), input=stdin, capture_output=True, text=True, timeout=2 * LIMIT, check=False,
            env={**os.environ, **self.environment},
        )  # fmt: skip

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """In the background, ended on the way out."""
        process = subprocess.Popen(
            self._command(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **self.environment},
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def _command(self, words: tuple[str, ...]) -> list[str]:
        file, cache = self._folder / "kubeconfig", self._folder / "cache"
        return [program_path("kubectl"), "--kubeconfig", str(file), "--cache-dir", str(cache), *words]


def test_streams_pass_and_end_with_the_session(fresh_program: Program, tmp_path: Path) -> None:
    program = fresh_program
    program.platform = True
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    told = program.skerry("login", "--show-fingerprint").stdout
    assert re.fullmatch(r"skerry login https://127\.0\.0\.1:\d+ --fingerprint ([0-9A-F]{2}:){31}[0-9A-F]{2}\n", told)
    program.kubectl("create", "namespace", "lab")
    program.apply(PERSON % {"user": USER, "namespace": "lab"})
    anna = Person(program, "lab", tmp_path)
    anna.signs_in("first")
    assert anna.kubectl("apply", "-f", "-", stdin=POD).returncode == 0
    waited = anna.kubectl("wait", "--for=condition=Ready", "pod/web", WITHIN)
    assert waited.returncode == 0, waited.stderr
    for anna.environment in (OVER_SPDY, {}):
        _streams_are_as_without_it(anna)
    _is_refused_with_the_reason(anna)
    with (
        anna.running("exec", "web", "--", "sh", "-c", "echo up; exec sleep 1000") as executing,
        anna.running("logs", "-f", "web") as following,
    ):
        for process, word in ((executing, "up"), (following, "begun")):
            assert process.stdout is not None
            assert word in process.stdout.readline()
        program.kubectl("delete", "session/first")
        assert executing.wait(LIMIT) != 0
        following.wait(LIMIT)
    replayed = anna.kubectl("exec", "web", "--", "id")
    assert (replayed.returncode, "Unauthorized" in replayed.stderr or "logged in" in replayed.stderr) == (1, True)


def _streams_are_as_without_it(anna: Person) -> None:
    data = "0123456789abcdef" * (256 << 10)
    echoed = anna.kubectl("exec", "-i", "web", "--", "cat", stdin=data)
    assert echoed.stdout == data
    done = anna.kubectl("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (7, "out\n", "err")
    with anna.running("port-forward", "pod/web", ":8080") as forwarding:
        assert forwarding.stdout is not None
        line = forwarding.stdout.readline()
        port = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert port is not None, line
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/", timeout=60) as answer:
                assert answer.read() == b"page\n"


def _is_refused_with_the_reason(anna: Person) -> None:
    elsewhere = anna.kubectl("exec", "-n", "kube-system", "web", "--", "id")
    assert f'User "{USER}" cannot' in elsewhere.stderr
    absent = anna.kubectl("exec", "absent", "--", "id")
    assert 'pods "absent" not found' in absent.stderr
