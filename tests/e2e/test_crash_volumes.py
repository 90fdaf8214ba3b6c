"""What a storm of kills may not cost: bytes that were synced, and the machine's mounts and loop devices.

The engine, its containerd or both are killed at random moments while claims are provisioned, mounted, expanded, let go
and deleted. That nothing of the instance is left at the end is what `fresh_program` looks at.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from skerry.engine import loop_devices
from tests.support.images import BUSYBOX, busybox_archive
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

pytestmark = pytest.mark.timeout(900)
ROUNDS = 4
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 64Mi}}}}
"""
POD = f"""
apiVersion: v1
kind: Pod
metadata: {{{{name: {{name}}}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: {BUSYBOX}
      command: [sh, -c, "test -s /data/word || echo {{name}} > /data/word; sync /data/word; sleep 100000"]
      readinessProbe: {{{{exec: {{{{command: [sh, -c, "test -s /data/word"]}}}}, periodSeconds: 1}}}}
      volumeMounts: [{{{{name: data, mountPath: /data}}}}]
  volumes: [{{{{name: data, persistentVolumeClaim: {{{{claimName: {{name}}}}}}}}}}]
"""


@dataclass
class Storm:
    """Something is asked of the engine, and a moment later it is no more: up again, it has to end what was begun."""

    program: Program
    dice: random.Random = field(default_factory=lambda: random.Random(5))

    def strikes(self, *words: str, stdin: str | None = None) -> None:
        """kubectl, then the kills, then the engine is up again."""
        self.program.kubectl(*words, stdin=stdin)
        time.sleep(self.dice.uniform(0, 0.6))  # the random moment is the point here
        victims = self.dice.choice(("engine", "containerd", "both"))
        if victims != "engine":
            self.program.kill_containerd()
        if victims != "containerd":
            self.program.kill_engine()
            self.program.up()

    def is_ready(self, pod: str) -> None:
        self.program.kubectl("wait", f"pod/{pod}", "--for=condition=Ready", WITHIN)

    def is_gone(self, *what: str) -> None:
        self.program.kubectl("wait", "--for=delete", *what, WITHIN)

    def word(self, pod: str) -> str:
        """What the volume holds; a containerd that was killed is back soon."""
        return eventually(lambda: self.program.kubectl("exec", pod, "--", "cat", "/data/word").stdout, "the word")


def _a_life(storm: Storm, name: str) -> None:
    """Of one claim and its pods."""
    program = storm.program
    storm.strikes("apply", "-f", "-", stdin=CLAIM.format(name=name) + "---" + POD.format(name=name))
    storm.is_ready(name)
    storm.strikes("patch", "pvc", name, "-p", '{"spec": {"resources": {"requests": {"storage": "96Mi"}}}}')
    eventually(lambda: program.get("pvc", name)["status"]["capacity"]["storage"] == "96Mi", "the claim's new size")
    storm.strikes("delete", "pod", name, "--wait=false")
    storm.is_gone(f"pod/{name}")
    storm.strikes("apply", "-f", "-", stdin=POD.format(name=name))
    storm.is_ready(name)
    assert storm.word(name) == f"{name}\n", "written and synced before all this"
    volume = program.get("pvc", name)["spec"]["volumeName"]
    storm.strikes("delete", f"pod/{name}", f"pvc/{name}", "--wait=false")
    storm.is_gone(f"pod/{name}", f"pvc/{name}")
    storm.is_gone(f"pv/{volume}")


def test_volumes_in_a_storm_of_kills(fresh_program: Program, tmp_path: Path) -> None:
    program = fresh_program
    program.up()
    program.skerry("image", "load", str(busybox_archive(tmp_path)))
    program.apply(CLAIM.format(name="witness") + "---" + POD.format(name="witness"))
    storm = Storm(program)
    storm.is_ready("witness")
    devices = _devices(program)
    for number in range(ROUNDS):
        _a_life(storm, f"life-{number}")
    assert storm.word("witness") == "witness\n"
    assert program.get("pod", "witness")["status"]["containerStatuses"][0]["restartCount"] == 0
    program.skerry("storage", "check")
    eventually(lambda: _devices(program) == devices, "the end of the loop devices")


def _devices(program: Program) -> int:
    """How many loop devices the instance has."""
    return sum(1 for one in loop_devices.all_attached() if one.file.startswith(str(program.data_dir)))
