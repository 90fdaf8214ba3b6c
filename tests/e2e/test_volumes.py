"""Claims of the default class, end to end: what a pod wrote and synced is there for the next, whatever died between."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from skerry.engine import mounts
from skerry.engine.storage.mounting.journal import Journal
from tests.support.images import BUSYBOX
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

KEEPER = f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 64Mi}}}}
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
      securityContext: {{fsGroup: 2000}}
      containers:
        - name: main
          image: {BUSYBOX}
          command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
          volumeMounts: [{{name: data, mountPath: /data}}]
      volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"""


def mounted(program: Program, marks: Collection[str]) -> list[Path]:
    """Mounts in the instance's own namespace whose path has one of the marks."""
    text = Path(f"/proc/{program.engine_pid()}/mountinfo").read_text()
    points = [one.point for one in mounts.parse_mountinfo(text)]
    return [point for point in points if any(mark in str(point) for mark in marks)]


def in_keeper(program: Program, namespace: str, command: str) -> str:
    """What a command in the deployment's pod prints."""
    program.kubectl("-n", namespace, "rollout", "status", "deployment/keeper", WITHIN)
    inside = ("-n", namespace, "exec", "deployment/keeper", "--", "sh", "-c", command)
    return eventually(lambda: program.kubectl(*inside).stdout, "the keeper: its rollout may be told of another pod yet")


def test_a_claim_outlives_its_pods_and_the_engine(program: Program, namespace: str) -> None:
    """Written and synced, engine killed, its pod deleted, engine killed again: the next pod reads it, and with the
    claim goes everything."""
    program.kubectl("-n", namespace, "apply", "-f", "-", stdin=KEEPER)
    wrote = in_keeper(program, namespace, "echo kept > /data/file && sync /data/file && stat -c %g /data/file")
    assert wrote == "2000\n"
    first = program.get("-n", namespace, "pods")["items"][0]["metadata"]
    program.kill_engine()
    program.up()
    assert in_keeper(program, namespace, "cat /data/file") == "kept\n"
    program.kubectl("-n", namespace, "delete", "pod", first["name"], "--wait=false")
    program.kill_engine()
    program.up()
    program.kubectl("-n", namespace, "wait", "--for=delete", f"pod/{first['name']}", WITHIN)
    assert in_keeper(program, namespace, "cat /data/file") == "kept\n"
    second = program.get("-n", namespace, "pods")["items"][0]["metadata"]
    claim = program.get("-n", namespace, "pvc", "data")
    volume = program.get("pv", claim["spec"]["volumeName"])
    source = volume["spec"]["csi"]
    staged = Journal(program.data_dir / "storage").stage_path(source["driver"], source["volumeHandle"])
    assert len(mounted(program, [first["uid"], second["uid"], staged.name])) >= 2
    program.kubectl("-n", namespace, "delete", "deployment/keeper", "pvc/data", WITHIN)
    program.kubectl("wait", "--for=delete", f"pv/{volume['metadata']['name']}", WITHIN)
    marks = [first["uid"], second["uid"], staged.name]
    eventually(lambda: not mounted(program, marks), "the end of all mounts")
