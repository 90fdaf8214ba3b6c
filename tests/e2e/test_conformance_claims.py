"""Claims as Kubernetes' own tests use them, with real containers and the classes that are there: of
`test/e2e/storage`, `persistent_volumes.go`, `pvc_protection.go` and `testsuites/{ephemeral,subpath,volumemode,
readwriteoncepod}.go`.

How volumes are made, grown, copied and kept through crashes is in `test_storage` and `test_crash_volumes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pod_replays import PodReplays, container, pod, pod_replays
from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

WAITS = "exec sleep 10000"


@pytest.fixture(scope="module")
def pods(program: Program) -> Iterator[PodReplays]:
    with pod_replays(program, "conformance-claims") as made:
        yield made


def claim(name: str, mode: str = "ReadWriteOnce", **more: Any) -> Any:
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": "64Mi"}}, **more}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def using(name: str, claimed: str, script: str = WAITS, **mount: Any) -> Any:
    """A pod with the claim at /data."""
    main = container(script, volumeMounts=[{"name": "data", "mountPath": "/data", **mount}])
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": claimed}}
    return pod(name, {"restartPolicy": "Never", "containers": [main], "volumes": [volume]})


def phase(pods: PodReplays, name: str) -> str:
    return str(pods.get(name, "pvc")["status"]["phase"])


def volume_of(pods: PodReplays, name: str) -> str:
    """The name of the PersistentVolume, once the claim is bound."""
    return str(eventually(lambda: pods.get(name, "pvc")["spec"].get("volumeName"), f"the volume of {name}"))


def gone(pods: PodReplays, *names: str) -> None:
    for name in names:
        pods.kubectl("wait", "--for=delete", name, WITHIN)


def test_a_volume_that_a_pod_describes_goes_with_it(pods: PodReplays) -> None:
    template = {"spec": claim("")["spec"]}
    main = container("df -k /data > /data/size; " + WAITS, volumeMounts=[{"name": "scratch", "mountPath": "/data"}])
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
    pods.create({"generic": {"containers": [main], "volumes": [volume]}})
    pods.running("generic")
    owner = pods.get("generic-scratch", "pvc")["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Pod", "generic", True)
    size = int(pods.kubectl("exec", "generic", "--", "cat", "/data/size").stdout.splitlines()[-1].split()[1])
    assert 64 * 1024 <= size < 128 * 1024, "a file system of its own"
    made = volume_of(pods, "generic-scratch")
    pods.kubectl("delete", "pod/generic", WITHIN)
    gone(pods, "pvc/generic-scratch", f"pv/{made}")


def test_a_claim_that_is_deleted_in_use_waits(pods: PodReplays) -> None:
    pods.apply(claim("in-use"), using("uses", "in-use", "echo kept > /data/file; " + WAITS))
    pods.running("uses")
    made = volume_of(pods, "in-use")
    pods.kubectl("delete", "pvc/in-use", "--wait=false")
    found = pods.get("in-use", "pvc")
    assert found["metadata"]["deletionTimestamp"]
    assert found["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    pods.apply(using("comes-late", "in-use"))
    eventually(lambda: "being deleted" in pods.condition("comes-late", "PodScheduled").get("message", ""), "the reason")
    pods.program.kubectl("delete", f"pv/{made}", "--wait=false")
    assert pods.kubectl("exec", "uses", "--", "cat", "/data/file").stdout == "kept\n"
    pods.kubectl("delete", "pod/uses", "pod/comes-late", WITHIN)
    gone(pods, "pvc/in-use", f"pv/{made}")


def test_one_pod_at_a_time(pods: PodReplays) -> None:
    pods.apply(claim("alone", "ReadWriteOncePod"), using("first", "alone"))
    pods.running("first")
    pods.apply(using("second", "alone"))
    why = "ReadWriteOncePod"
    eventually(lambda: why in pods.condition("second", "PodScheduled").get("message", ""), "the reason")
    assert pods.status("second")["phase"] == "Pending"
    pods.kubectl("delete", "pod/first", WITHIN)
    pods.running("second")


def test_a_directory_of_a_volume(pods: PodReplays) -> None:
    """`subPath` and `subPathExpr`: made if they are not there, shared by containers, nothing else is seen."""
    mount = {"name": "data", "mountPath": "/data"}
    named = {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    writes = container("echo mine > /data/file; touch /data/written", volumeMounts=[{**mount, "subPath": "a/b"}])
    expands = container(
        "echo named > /data/file", "expands", env=[named], volumeMounts=[{**mount, "subPathExpr": "of-$(POD)"}]
    )
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "parts"}}
    spec = {"restartPolicy": "Never", "volumes": [volume], "containers": [writes, expands]}
    pods.apply(claim("parts"), pod("parts", spec))
    assert pods.ended("parts")["phase"] == "Succeeded"
    pods.apply(using("whole", "parts", "cat /data/a/b/file /data/of-parts/file"))
    assert pods.ended("whole")["phase"] == "Succeeded"
    assert pods.logs("whole") == "mine\nnamed\n"
    pods.apply(using("part", "parts", "ls /data", subPath="a/b", readOnly=True))
    assert pods.ended("part")["phase"] == "Succeeded"
    assert pods.logs("part") == "file\nwritten\n"


def test_a_device(pods: PodReplays) -> None:
    """What one pod wrote to it the next reads."""

    def of(name: str, script: str) -> Any:
        main = container(script, volumeDevices=[{"name": "data", "devicePath": "/dev/data"}])
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "raw"}}
        return pod(name, {"restartPolicy": "Never", "containers": [main], "volumes": [volume]})

    pods.apply(
        claim("raw", volumeMode="Block"), of("writes", "test -b /dev/data && echo raw | dd of=/dev/data conv=fsync")
    )
    assert pods.ended("writes")["phase"] == "Succeeded", pods.logs("writes")
    pods.apply(of("reads", "dd if=/dev/data bs=4 count=1 2>/dev/null"))
    assert pods.ended("reads")["phase"] == "Succeeded"
    assert pods.logs("reads").strip() == "raw"
    pods.apply(using("as-directory", "raw"))
    eventually(lambda: "volumeMode" in pods.kubectl("describe", "pod", "as-directory").stdout, "the reason")


def test_volumes_that_somebody_made(pods: PodReplays, tmp_path: Path) -> None:
    """Found by their labels or by name, kept for a claim, released with it and not given to the next."""
    tmp_path.chmod(0o755)
    names = [f"conformance-{what}" for what in ("labelled", "plain", "kept")]
    try:
        for name in names:
            (tmp_path / name).mkdir()
            pods.apply(made_by_hand(name, tmp_path / name, pods.namespace))
        wants = {"storageClassName": "", "selector": {"matchLabels": {"kind": "labelled"}}}
        pods.apply(claim("by-label", **wants), claim("by-name", storageClassName="", volumeName=names[1]))
        pods.apply(claim("for-me", storageClassName=""), using("writes-there", "by-label", "echo x > /data/file"))
        assert [volume_of(pods, one) for one in ("by-label", "by-name", "for-me")] == names
        assert pods.ended("writes-there")["phase"] == "Succeeded"
        assert (tmp_path / names[0] / "file").read_text() == "x\n"
        pods.kubectl("delete", "pod/writes-there", "pvc/by-label", WITHIN)
        eventually(lambda: pods.program.get("pv", names[0])["status"]["phase"] == "Released", "the release")
        pods.apply(claim("by-label", **wants))
        eventually(
            lambda: "no persistent volumes available" in pods.kubectl("describe", "pvc", "by-label").stdout, "why"
        )
        assert phase(pods, "by-label") == "Pending"
        assert (tmp_path / names[0] / "file").exists()
    finally:
        pods.kubectl("delete", "pvc", "by-label", "by-name", "for-me", "--ignore-not-found", WITHIN)
        pods.program.kubectl("delete", "pv", *names, "--ignore-not-found", WITHIN)


def made_by_hand(name: str, path: Path, namespace: str) -> Any:
    """Labelled by what it is called; `kept` is for the claim `for-me`."""
    kind = name.rpartition("-")[2]
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "64Mi"},
        "hostPath": {"path": str(path)},
        "storageClassName": "",
    }
    if kind == "kept":
        spec["claimRef"] = {"namespace": namespace, "name": "for-me"}
    metadata = {"name": name, "labels": {"kind": kind}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}
