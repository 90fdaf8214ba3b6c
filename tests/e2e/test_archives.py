"""A project's data through its end: real files are archived, purged with the project, and restored as they were."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import tarfile
from pathlib import Path

import pytest

from tests.e2e.test_platform import processes
from tests.support.images import BUSYBOX, busybox_archive
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

pytestmark = pytest.mark.timeout(900)
_PROJECT = """
apiVersion: skerry.dev/v1alpha1
kind: Project
metadata: {name: lidar}
spec: {tier: free, owner: anna@uni.example, overrides: {podSecurity: baseline}}
"""
_OBJECTS = f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 256Mi}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: keeper}}
spec:
  strategy: {{type: Recreate}}
  selector: {{matchLabels: {{app: keeper}}}}
  template:
    metadata: {{labels: {{app: keeper}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: {BUSYBOX}
          command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
          resources: {{limits: {{cpu: 100m, memory: 64Mi}}}}
          volumeMounts: [{{name: data, mountPath: /data}}]
      volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"""
_WRITE = r"""set -e
cd /data; mkdir -p deep/er 'odd names'; echo kept > deep/er/file; chmod 0640 deep/er/file
busybox ln deep/er/file deep/hard; busybox ln -s ../deep/er/file 'odd names/link'; busybox ln -s /nowhere dangling
printf x > "$(printf 'odd names/-rf *\nline \303\244 "quoted"')"
dd if=/dev/zero of=sparse bs=1 count=1 seek=1000000000 2>/dev/null
dd if=/dev/urandom of=much bs=1M count=40 2>/dev/null
mkdir private; echo secret > private/file; chmod 0600 private/file; busybox chown -R 4321:1234 private
chmod 0700 private; busybox mkfifo pipe
touch -t 202001020304 deep/er/file; touch -t 201901020304 deep; chmod 1751 deep; busybox sync
"""
_TELL = r"""set -e
cd /data; find . -path ./lost+found -prune -o -exec stat -c '%n|%F|%a|%u:%g' {} + | sort
stat -c '%Y %h' deep/er/file; stat -c %Y deep; stat -c %s sparse
busybox readlink 'odd names/link'; busybox readlink dangling
test $(stat -c %b sparse) -lt 100 && echo sparse
find . -type f -size -100000 -exec busybox sha256sum {} + | sort
"""


def in_keeper(program: Program, command: str) -> str:
    """What a command in the project's pod prints."""
    program.kubectl("-n", "lidar", "rollout", "status", "deployment/keeper", WITHIN)
    return program.kubectl("-n", "lidar", "exec", "deployment/keeper", "--", "sh", "-c", command).stdout


def kept(program: Program) -> str:
    """What the condition says."""
    conditions = program.get("project/lidar")["status"]["conditions"]
    return next((f"{one['reason']}: {one['message']}" for one in conditions if one["type"] == "Kept"), "")


def test_data_outlives_its_project(fresh_program: Program, tmp_path: Path) -> None:
    program = fresh_program
    program.platform = True
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(_PROJECT)
    program.kubectl("wait", "--for=condition=Ready", "project/lidar", WITHIN)
    program.kubectl("-n", "lidar", "apply", "-f", "-", stdin=_OBJECTS)
    in_keeper(program, _WRITE)
    before = in_keeper(program, _TELL)
    assert "\nsparse\n" in before
    assert "./private/file|regular file|600|4321:1234" in before
    volume = program.get("-n", "lidar", "pvc/data")["spec"]["volumeName"]

    program.skerry("projects", "archive", "lidar")
    eventually(lambda: kept(program), "it has begun")
    (platform,) = processes(program)
    os.kill(platform, signal.SIGKILL)
    eventually(lambda: kept(program).startswith("Archived: the data of 1 volumes"), "a killed platform goes on")
    status = program.get("project/lidar")["status"]["archive"]
    assert status["volumes"] == []
    assert status["data"][0]["bytes"] < 60 << 20, "the sparse file takes no room"
    eventually(lambda: program.get("-n", "skerry-archives", "pods")["items"] == [], "its pods are gone")
    _exports(program, tmp_path / "out", status["data"][0]["sha256"])

    program.kubectl("delete", "project/lidar", WITHIN)
    program.kubectl("wait", "--for=delete", f"pv/{volume}", WITHIN)
    program.kubectl("wait", "--for=delete", "namespace/lidar", WITHIN)
    program.skerry("projects", "restore", "lidar", timeout=300)
    assert in_keeper(program, _TELL) == before
    claim = program.get("-n", "lidar", "pvc/data")
    restored = program.get("pv", claim["spec"]["volumeName"])
    assert (restored["spec"]["persistentVolumeReclaimPolicy"], claim["spec"]["volumeName"] != volume) == (
        "Delete",
        True,
    )
    in_keeper(program, "echo more >> /data/deep/er/file")
    program.kubectl("delete", "project/lidar", WITHIN)
    program.kubectl("wait", "--for=delete", f"pv/{claim['spec']['volumeName']}", WITHIN)
    left = [one["metadata"]["name"] for one in program.get("pv")["items"]]
    assert len(left) == 1, f"the archive's own: {left}"


def _exports(program: Program, directory: Path, checksum: str) -> None:
    """A file that tar reads."""
    program.skerry("projects", "export", "lidar", "--volumes", str(directory), timeout=300)
    file = directory / "lidar.data.tar.gz"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == checksum
    assert file.stat().st_mode & 0o777 == 0o600
    with tarfile.open(file) as archive:
        member = archive.extractfile("./private/file")
        assert member is not None
        assert member.read() == b"secret\n"
    manifests = json.loads(program.skerry("projects", "export", "lidar").stdout)["items"]
    assert {"Project", "Deployment", "PersistentVolumeClaim"} <= {one["kind"] for one in manifests}
