"""Claims on a server elsewhere on the whole engine, by the page of the documentation."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.support.images import busybox_archive
from tests.support.program import Program, eventually
from tests.support.storage_servers import ssh_server
from tests.support.waiting import WITHIN

_PAGE = Path(__file__).parents[2] / "docs" / "resources" / "storageclass-remote.md"


def _example(provisioner: str) -> list[dict[str, object]]:
    found = re.findall(r"```yaml\n(.*?)```", _PAGE.read_text(), re.S)
    return next(list(yaml.safe_load_all(one)) for one in found if f"provisioner: {provisioner}\n" in one)


def _reader(name: str) -> dict[str, object]:
    container = {
        "name": "main",
        "image": "busybox:test",
        "command": ["sleep", "3600"],
        "securityContext": {"runAsUser": 1000},
        "volumeMounts": [{"name": "notes", "mountPath": "/notes"}],
    }
    volumes = [{"name": "notes", "persistentVolumeClaim": {"claimName": "notes"}}]
    spec = {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_a_claim_on_an_ssh_server(fresh_program: Program, tmp_path: Path) -> None:
    program, namespace = fresh_program, "default"

    def kubectl(*words: str, stdin: str = "") -> str:
        return program.kubectl(*words, stdin=stdin).stdout

    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    with ssh_server(tmp_path / "server") as server:
        storage_class, secret, claim = _example("sshfs.storage.skerry.dev")
        assert isinstance(storage_class["parameters"], dict)
        storage_class["parameters"].update(server.parameters)
        secret["stringData"] = dict(server.secrets)
        for one in (storage_class, secret, claim, _reader("one")):
            kubectl("apply", "-f", "-", stdin=json.dumps(one))
        kubectl("wait", "pod/one", "--for=condition=Ready", WITHIN)
        kubectl("exec", "one", "--", "sh", "-c", "echo a line >/notes/page")
        where = server.files / namespace / "notes"
        assert (where / "page").read_text() == "a line\n"

        before = _programs(program)
        os.kill(program.engine_pid(), signal.SIGKILL)
        program.up()
        assert kubectl("exec", "one", "--", "cat", "/notes/page") == "a line\n"
        assert before == _programs(program)

        # asked until it is told: the next engine watches as soon as it has looked at the pod
        eventually(lambda: _is_told_when_killed(program, kubectl), "the event")
        kubectl("apply", "-f", "-", stdin=json.dumps(_reader("two")))
        kubectl("wait", "pod/two", "--for=condition=Ready", WITHIN)
        assert kubectl("exec", "two", "--", "cat", "/notes/page") == "a line\n"

        kubectl("delete", "pod,pvc", "--all", WITHIN)
        eventually(lambda: not where.exists(), "the directory's end")
        eventually(lambda: not _programs(program), "the program's end")

        for one in (claim, _reader("three")):  # in use when the instance is taken away
            kubectl("apply", "-f", "-", stdin=json.dumps(one))
        kubectl("wait", "pod/three", "--for=condition=Ready", WITHIN)
        left = _programs(program)
        assert left
        program.skerry("clean", "--yes")
        assert not [pid for pid in left if _runs(pid)]
        assert where.exists()


def _is_told_when_killed(program: Program, kubectl: Callable[..., str]) -> bool:
    for pid in _programs(program):
        os.kill(pid, signal.SIGKILL)
    return "VolumeConditionAbnormal" in kubectl("get", "events")


def _programs(program: Program) -> list[int]:
    """sshfs and ssh of this instance, by their cgroup."""
    found = []
    instance = next(mark for mark in program.marks() if mark.startswith("skerry-"))
    for group in Path("/sys/fs/cgroup").glob(f"**/{instance}/storage/*/cgroup.procs"):
        found += [int(word) for word in group.read_text().split()]
    return sorted(set(found))


def _runs(pid: int) -> bool:
    """Not what has ended and is not collected by whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
