"""The power cut: the machine's disk, copied at one moment while everything works, boots clean and has lost nothing.

The disk is a file on a file system with reflinks, so that the copy is of one moment, as it would be left on a real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from skerry.engine.storage.drivers.local import reflinks
from tests.component.storage.local import made, mounted_disk
from tests.support.images import BUSYBOX, busybox_archive
from tests.support.machine import snapshot
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

pytestmark = pytest.mark.timeout(600)

WRITER = f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: log}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 64Mi}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: writer}}
spec:
  strategy: {{type: Recreate}}
  selector: {{matchLabels: {{app: writer}}}}
  template:
    metadata: {{labels: {{app: writer}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: {BUSYBOX}
          command:
            - sh
            - -c
            - n=$(cat /log/lines | wc -l); while n=$((n+1)); do echo $n >> /log/lines; sync /log/lines; done
          volumeMounts: [{{name: log, mountPath: /log}}]
      volumes: [{{name: log, persistentVolumeClaim: {{claimName: log}}}}]
"""


@contextmanager
def instance_at(directory: Path) -> Iterator[Program]:
    """The instance of a disk, running; ended and checked for traces."""
    before = snapshot()
    program = Program(directory / "data")
    try:
        program.up()
        yield program
    finally:
        marks = program.marks()
        program.skerry("clean", "--yes", check=False)
    assert snapshot().left_since(before, marks) == {}


def written(program: Program) -> list[str]:
    """The numbered lines that the pod has in its volume; what was never synced may be anything."""
    program.kubectl("rollout", "status", "deployment/writer", WITHIN)
    return program.kubectl("exec", "deployment/writer", "--", "cat", "/log/lines").stdout.split("\n")[:-1]


def safe(program: Program) -> int:
    """How many lines are on disk: the last one may be on its way there."""
    return eventually(lambda: max(0, len(written(program)) - 1), "some lines are on disk")


def test_a_disk_without_power_boots_clean(tmp_path: Path) -> None:
    shelf = made(tmp_path / "shelf.img", 8192, "mkfs.xfs", "-q", "-f", "-K", "-s", "size=4096")
    with mounted_disk(shelf, tmp_path / "shelf", "xfs") as place:
        disk, copy = made(place / "disk.img", 6144, "mkfs.ext4", "-q", "-F", "-E", "nodiscard"), place / "copy.img"
        with mounted_disk(disk, tmp_path / "machine", "ext4") as machine, instance_at(machine) as program:
            program.skerry("image", "load", str(busybox_archive(tmp_path)))
            program.apply(WRITER)
            lines = safe(program)
            program.kubectl("create", "configmap", "acknowledged", "--from-literal=a=b")
            copy.touch()
            reflinks.clone(disk, copy)
        (tmp_path / "machine").rmdir()
        with mounted_disk(copy, tmp_path / "machine", "ext4") as machine, instance_at(machine) as program:
            assert program.get("configmap", "acknowledged")["data"] == {"a": "b"}
            found = eventually(lambda: written(program), "the pod on the copy")
            assert len(found) >= lines
            assert found[:lines] == [str(number) for number in range(1, lines + 1)]
            program.skerry("storage", "check")
            eventually(lambda: safe(program) > lines, "the work to go on")
