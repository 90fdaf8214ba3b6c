"""Volumes that fill up, tenants beside each other, orphans, and the example with data: end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.images import BUSYBOX
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

EXAMPLE = Path(__file__).parents[2] / "examples" / "04-data"

TENANT = f"""
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 32Mi}}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: app}}
spec:
  terminationGracePeriodSeconds: 0
  securityContext: {{runAsUser: 1000, fsGroup: 1000}}
  containers:
    - name: main
      image: {BUSYBOX}
      command: [sleep, "100000"]
      volumeMounts: [{{name: data, mountPath: /data}}]
  volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]
"""
THIEF = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: thief}}
spec:
  accessModes: [ReadWriteOnce]
  volumeName: {volume}
  storageClassName: local
  resources: {{requests: {{storage: 32Mi}}}}
"""


class Tenant:
    """A namespace with a claim `data`, which its pod `app` has at /data."""

    def __init__(self, program: Program, namespace: str) -> None:
        self.program, self.namespace = program, namespace
        program.kubectl("-n", namespace, "apply", "-f", "-", stdin=TENANT)
        program.kubectl("-n", namespace, "wait", "pod/app", "--for=condition=Ready", WITHIN)

    def sh(self, command: str) -> str:
        """What a command in the pod says on both streams, whatever its exit code."""
        inside = ["-n", self.namespace, "exec", "app", "--", "sh", "-c", f"{command} 2>&1"]
        return self.program.kubectl(*inside, check=False).stdout

    def events(self, reason: str) -> dict[str, str]:
        """Messages by the kind of what they are about."""
        found = self.program.get("-n", self.namespace, "events")["items"]
        return {one["involvedObject"]["kind"]: one["message"] for one in found if one["reason"] == reason}

    def volume(self) -> str:
        """The name of its PersistentVolume."""
        name: str = self.program.get("-n", self.namespace, "pvc", "data")["spec"]["volumeName"]
        return name


@pytest.fixture
def neighbour(program: Program, namespace: str) -> Iterator[str]:
    """A second namespace."""
    name = f"{namespace[:40]}-neighbour"
    program.kubectl("create", "namespace", name)
    yield name
    program.kubectl("delete", "namespace", name, "--wait=false")


def test_a_full_volume_is_its_tenants_matter_alone_and_they_get_out_of_it(
    program: Program, namespace: str, neighbour: str
) -> None:
    full, other = Tenant(program, namespace), Tenant(program, neighbour)
    assert "No space left on device" in full.sh("dd if=/dev/zero of=/data/large bs=1M count=200")
    other.sh("dd if=/dev/urandom of=/data/own bs=1M count=20 && sync")
    assert other.sh("wc -c < /data/own").strip() == str(20 * 2**20), "the neighbour has all of its own"

    # what is asked of a kubelet, and the commands
    node = program.get("nodes")["items"][0]["metadata"]["name"]
    kubelet = f"/api/v1/nodes/{node}/proxy"
    labels = f'{{namespace="{namespace}",persistentvolumeclaim="data"}}'
    page = program.kubectl("get", "--raw", f"{kubelet}/metrics").stdout
    figures = dict(line.rsplit(" ", 1) for line in page.splitlines() if labels in line)
    assert float(figures[f"kubelet_volume_stats_available_bytes{labels}"]) < 2**20
    assert float(figures[f"kubelet_volume_stats_used_bytes{labels}"]) > 25 * 2**20
    assert float(figures[f"kubelet_volume_stats_health_status_abnormal{labels}"]) == 0
    summary = json.loads(program.kubectl("get", "--raw", f"{kubelet}/stats/summary").stdout)
    (pod,) = [one for one in summary["pods"] if one["podRef"]["namespace"] == namespace]
    volumes = {one["name"]: one for one in pod["volume"]}
    assert volumes["data"]["pvcRef"] == {"name": "data", "namespace": namespace}
    top = json.loads(program.skerry("volumes", "top", "-A", "-o", "json").stdout)["claims"]
    ours = [one for one in top if one["namespace"] in (namespace, neighbour)]
    assert [one["namespace"] for one in ours] == [namespace, neighbour], "the fullest first"
    large = program.skerry("volumes", "du", "data", "-n", namespace).stdout
    assert "large" in large.splitlines()[2]

    # who is full can delete and can have more room
    full.sh("touch /data/small; rm /data/large; sync")
    assert full.sh("dd if=/dev/zero of=/data/again bs=1M count=10 && echo fits").endswith("fits\n")
    full.sh("dd if=/dev/zero of=/data/large bs=1M count=200")
    program.kubectl("get", "--raw", f"{kubelet}/metrics")  # else it is looked at within a minute
    eventually(lambda: full.events("VolumeFull").keys() >= {"PersistentVolumeClaim", "Pod"}, "told of the full volume")
    told = full.events("VolumeFull")
    assert f"skerry volumes expand data 48Mi -n {namespace}" in told["PersistentVolumeClaim"]
    assert 'Volume "data" is' in told["Pod"]
    assert other.events("VolumeFull") == {}
    program.skerry("volumes", "expand", "data", "64Mi", "-n", namespace)
    assert full.sh("dd if=/dev/zero of=/data/more bs=1M count=20 && echo fits").endswith("fits\n")


def test_nobody_gets_at_anothers_volume_and_what_is_left_behind_is_found(
    program: Program, namespace: str, neighbour: str
) -> None:
    owner = Tenant(program, namespace)
    owner.sh("echo secret > /data/file; sync")
    volume = owner.volume()
    program.kubectl("-n", neighbour, "apply", "-f", "-", stdin=THIEF.format(volume=volume))

    def refused() -> bool:
        events = program.get("-n", neighbour, "events")["items"]
        return any("already bound to a different claim" in one["message"] for one in events)

    eventually(refused, "the claim of another's volume refused")
    assert program.get("-n", neighbour, "pvc", "thief")["status"]["phase"] == "Pending"
    program.kubectl("-n", neighbour, "delete", "pvc", "thief")

    handle = program.get("pv", volume)["spec"]["csi"]["volumeHandle"]
    program.kubectl("patch", "pv", volume, "--patch", '{"spec": {"persistentVolumeReclaimPolicy": "Retain"}}')
    program.kubectl("-n", namespace, "delete", "pod/app", WITHIN)
    looked = program.skerry("volumes", "du", "data", "-n", namespace, check=False)
    assert (looked.returncode, "--helper" in looked.stderr) == (1, True)
    helped = program.skerry("volumes", "du", "data", "-n", namespace, "--helper", "--image", BUSYBOX)
    assert "file" in helped.stdout.split()
    program.kubectl("-n", namespace, "delete", "pvc/data", WITHIN)
    eventually(lambda: f"kubectl delete persistentvolume {volume}" in _check(program), "found without its claim")
    program.kubectl("delete", "pv", volume, WITHIN)
    eventually(lambda: f"--reclaim {handle}" in _check(program), "found without its PersistentVolume")
    assert program.skerry("storage", "check", check=False).returncode == 1
    program.skerry("storage", "repair", "--reclaim", handle, "--yes")
    assert handle not in _check(program)
    storage = program.data_dir / "storage"
    assert [path for path in storage.rglob("*") if handle in path.name] == []


def _check(program: Program) -> str:
    return program.skerry("storage", "check", check=False).stdout


def test_the_example_with_data(program: Program, namespace: str) -> None:
    """What the README of the fourth example says, with an image that is there."""

    def apply(*names: str) -> None:
        for name in names:
            manifest = (EXAMPLE / name).read_text().replace("image: hello:1", f"image: {BUSYBOX}")
            program.kubectl("-n", namespace, "apply", "-f", "-", stdin=manifest)

    apply("claim.yaml", "app.yaml")
    program.kubectl("-n", namespace, "rollout", "status", "deployment/journal", WITHIN)
    assert "journal" in program.skerry("volumes", "ls", "-n", namespace).stdout
    du = ["volumes", "du", "journal", "-n", namespace]
    eventually(lambda: "journal" in program.skerry(*du).stdout.split(), "the journal in its volume")
    program.skerry("volumes", "expand", "journal", "128Mi", "-n", namespace)
    apply("later/snapshot.yaml")
    ready = "--for=jsonpath={.status.readyToUse}=true"
    program.kubectl("-n", namespace, "wait", "volumesnapshot/before", ready, WITHIN)
    apply("later/restore.yaml")
    program.kubectl("-n", namespace, "wait", "job/first-line", "--for=condition=Complete", WITHIN)
    first = program.kubectl("-n", namespace, "logs", "job/first-line").stdout
    assert first.strip()
    journal = ["-n", namespace, "exec", "deployment/journal", "--"]
    lines = program.kubectl(*journal, "/bin/busybox", "head", "-n", "1", "/data/journal").stdout
    assert lines == first
    described = json.loads(
        program.skerry("storage", "describe", "claim", "journal", "-n", namespace, "-o", "json").stdout
    )
    assert (described["snapshots"], described["size"]) == (["before"], 128 * 2**20)
    listed = json.loads(program.skerry("storage", "ls", "-o", "json").stdout)["classes"]
    (local,) = [one for one in listed if one["name"] == "local"]
    assert local["default"]
    assert local["promised"] >= 256 * 2**20
