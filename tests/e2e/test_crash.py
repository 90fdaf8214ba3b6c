"""What a crash may not cost: acknowledged writes, running containers, watchers; and deleted things stay deleted."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import BUSYBOX, busybox_archive
from tests.support.program import Program, eventually
from tests.support.raw_api import RawApi
from tests.support.waiting import WITHIN

KILLS = 50
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"

SLEEPERS = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: sleepers}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: sleepers}}}}
  template:
    metadata: {{labels: {{app: sleepers}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: main, image: {BUSYBOX}, command: [sleep, "100000"]}}]
"""


@dataclass
class Writer:
    """Creates, updates and deletes config maps without pause; remembers what was acknowledged."""

    api: RawApi
    acknowledged: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)
    revisions: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Write until told to stop."""
        number = 0
        while not self.stop.is_set():
            number += 1
            name = f"w-{number}"
            if not self._attempt("POST", CONFIG_MAPS, name, {"metadata": {"name": name}, "data": {"v": "1"}}, "1"):
                continue
            if number % 3 == 0:
                self._attempt(
                    "PUT", f"{CONFIG_MAPS}/{name}", name, {"metadata": {"name": name}, "data": {"v": "2"}}, "2"
                )
            elif number % 3 == 1:
                self._attempt("DELETE", f"{CONFIG_MAPS}/{name}", name, None, None)

    def _attempt(self, method: str, path: str, name: str, body: Any, value: str | None) -> bool:
        try:
            code, answer = self.api.call(method, path, body)
        except OSError:
            self.unknown.add(name)
            self.stop.wait(0.01)
            return False
        assert code in (200, 201), answer
        if value is None:
            self.acknowledged.pop(name)
            self.deleted.add(name)
        else:
            self.acknowledged[name] = value
            self.revisions.append(int(answer["metadata"]["resourceVersion"]))
        return True


class Watcher:
    """Lists and watches config maps as any informer does, through every crash."""

    def __init__(self, api: RawApi) -> None:
        self.api = api
        self.known: dict[str, str] = {}
        self.stop = threading.Event()

    def run(self) -> None:
        """Follow until told to stop: short watches, from the last revision; list again on 410."""
        revision = ""
        while not self.stop.is_set():
            try:
                revision = self._follow(revision) if revision else self._list()
            except OSError:
                self.stop.wait(0.05)

    def written(self) -> dict[str, str]:
        """What it knows of the writer's objects."""
        return {name: value for name, value in list(self.known.items()) if name.startswith("w-")}

    def _list(self) -> str:
        code, answer = self.api.call("GET", CONFIG_MAPS)
        assert code == 200, answer
        self.known = {item["metadata"]["name"]: item.get("data", {}).get("v", "") for item in answer["items"]}
        return str(answer["metadata"]["resourceVersion"])

    def _follow(self, revision: str) -> str:
        connection = self.api._connect()
        try:
            path = f"{CONFIG_MAPS}?watch=true&timeoutSeconds=1&resourceVersion={revision}"
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status == 410:
                answer.read()
                return ""
            while line := answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return ""
                revision = self._take(event)
            return revision
        except Exception as error:
            self.api.close()
            if isinstance(error, AssertionError):
                raise
            raise OSError(str(error)) from error

    def _take(self, event: dict[str, Any]) -> str:
        name = event["object"]["metadata"].get("name")
        if event["type"] == "DELETED":
            self.known.pop(name, None)
        elif event["type"] != "BOOKMARK":
            self.known[name] = event["object"].get("data", {}).get("v", "")
        return str(event["object"]["metadata"]["resourceVersion"])


def running(program: Program) -> dict[str, tuple[str, str]]:
    """Container id and start time of each sleeper."""
    pods = program.get("pods", "-l", "app=sleepers")["items"]
    statuses = {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0] for pod in pods}
    return {name: (status["containerID"], status["state"]["running"]["startedAt"]) for name, status in statuses.items()}


@pytest.mark.timeout(1200)
def test_kill_dash_nine_fifty_times(fresh_program: Program, tmp_path: Path) -> None:
    """Issue: every acknowledged write is there, watchers recover, containers are adopted, deleted pods stay away."""
    program = fresh_program
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(SLEEPERS)
    program.kubectl("rollout", "status", "deployment/sleepers", WITHIN)
    program.kubectl("run", "gone", f"--image={BUSYBOX}", "--", "sleep", "100000")
    program.kubectl("wait", "--for=condition=Ready", "pod/gone", WITHIN)
    program.kubectl("delete", "pod", "gone", "--grace-period=1")
    before = running(program)
    writer, watcher = Writer(RawApi(program.kubeconfig)), Watcher(RawApi(program.kubeconfig))
    with running_beside(watcher):
        with running_beside(writer):
            kill_again_and_again(program, writer)
        stored = found_as_acknowledged(program, writer)
        eventually(lambda: watcher.written() == stored, "the watcher to agree")
    assert running(program) == before
    assert [pod["metadata"]["name"] for pod in program.get("pods")["items"] if pod["metadata"]["name"] == "gone"] == []


@contextlib.contextmanager
def running_beside(actor: Writer | Watcher) -> Iterator[None]:
    """In a thread, until the block ends, however it ends."""
    thread = threading.Thread(target=actor.run)
    thread.start()
    try:
        yield
    finally:
        actor.stop.set()
        thread.join()
        actor.api.close()


def kill_again_and_again(program: Program, writer: Writer) -> None:
    dice = random.Random(20261121)
    for _ in range(KILLS):
        written = len(writer.revisions)
        eventually(lambda written=written: len(writer.revisions) > written, "a write after the restart")
        time.sleep(dice.uniform(0, 0.3))  # the random moment is the point here
        program.kill_engine()
        program.up()


def found_as_acknowledged(program: Program, writer: Writer) -> dict[str, str]:
    """What is stored, which is what was acknowledged; what was not may be there or not."""
    stored = {item["metadata"]["name"]: item["data"]["v"] for item in _written(program)}
    certain = {name: value for name, value in writer.acknowledged.items() if name not in writer.unknown}
    assert len(certain) > KILLS
    assert {name: stored.get(name) for name in certain} == certain
    assert not (writer.deleted - writer.unknown) & stored.keys()
    assert writer.revisions == sorted(set(writer.revisions)), "a revision was used twice or went back"
    return stored


def _written(program: Program) -> list[dict[str, Any]]:
    return [item for item in program.get("configmaps")["items"] if item["metadata"]["name"].startswith("w-")]


def test_containerd_killed_comes_back_and_pods_are_intact(fresh_program: Program, tmp_path: Path) -> None:
    """Issue: containerd killed with -9 comes back and pods are intact; exec works through the new one."""
    program = fresh_program
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(SLEEPERS)
    program.kubectl("rollout", "status", "deployment/sleepers", WITHIN)
    before = running(program)
    old = program.containerd_pid()
    program.kill_containerd()
    eventually(lambda: program.containerd_pid() not in (0, old), "a new containerd")
    name = next(iter(before))
    eventually(lambda: program.kubectl("exec", name, "--", "echo", "alive").stdout == "alive\n", "exec")
    assert running(program) == before


def test_a_process_that_dies_is_restarted(fresh_program: Program, tmp_path: Path) -> None:
    """Issue: a pod whose process dies is restarted, in the same pod, with the exit code in its last state."""
    program = fresh_program
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    script = "trap 'exit 7' TERM; echo listens; while :; do sleep 0.1; done"
    program.kubectl("run", "mortal", f"--image={BUSYBOX}", "--", "sh", "-c", script)
    program.kubectl("wait", "--for=condition=Ready", "pod/mortal", WITHIN)
    eventually(lambda: program.kubectl("logs", "mortal").stdout, "its word: before that it hears no signal")
    uid = program.get("pod", "mortal")["metadata"]["uid"]
    program.kubectl("exec", "mortal", "--", "kill", "-TERM", "1", check=False)  # may end with the container: 137
    eventually(lambda: _status(program, "mortal")["restartCount"] == 1, "the restart")
    eventually(lambda: "running" in _status(program, "mortal")["state"], "running again")
    assert _status(program, "mortal")["lastState"]["terminated"]["exitCode"] == 7
    assert program.get("pod", "mortal")["metadata"]["uid"] == uid


def _status(program: Program, name: str) -> dict[str, Any]:
    status: dict[str, Any] = program.get("pod", name)["status"]["containerStatuses"][0]
    return status


def test_a_start_that_fails_leaves_running_pods_alone(fresh_program: Program, tmp_path: Path) -> None:
    """What outlived the engine is not taken down by the next engine's failure to start; the one after adopts it."""
    program = fresh_program
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(SLEEPERS)
    program.kubectl("rollout", "status", "deployment/sleepers", WITHIN)
    before = running(program)
    program.kill_engine()
    key = program.data_dir / "pki" / "server.key"
    good = key.read_bytes()
    key.write_text("no key")
    failed = program.skerry("up", "--port", "0", "--detach", check=False)
    assert failed.returncode != 0
    assert "the pods that were running go on" in failed.stderr
    key.write_bytes(good)
    program.up()
    assert running(program) == before
