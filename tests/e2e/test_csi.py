"""A third party's driver in a pod, unmodified: it registers, its volumes are made, attached, mounted and taken back.

It finds /var/lib/kubelet as on any node; its image is the machine's own Python, shown by hostPath. Its CSIDriver leaves
the controller side to the engine, as there are no sidecars.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from tests.support.csi_driver import NAME, TOPOLOGY
from tests.support.program import Program
from tests.support.waiting import WITHIN, eventually

_ROOT = Path(__file__).resolve().parents[2]
KUBELET = Path("/var/lib/kubelet")
OBJECTS = (_ROOT / "docs" / "resources" / "csidriver.md").read_text().split("```yaml\n")[1].split("```")[0]
"""As the page tells people to have it."""
USERS = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: directories, resources: {requests: {storage: 10Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, fsGroup: 2000}
  containers:
  - name: main
    image: busybox:test
    command: [sh, -c, "echo kept > /data/file && exec sleep 3600"]
    volumeMounts: [{name: data, mountPath: /data}, {name: inline, mountPath: /inline}]
  volumes:
  - name: data
    persistentVolumeClaim: {claimName: data}
  - name: inline
    csi: {driver: DRIVER}
""".replace("DRIVER", NAME)


def driver_pod(node: str) -> str:
    """As charts have it: privileged, the kubelet's directory with mounts in both directions."""
    python = {"/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix, str(_ROOT)}
    shown = sorted(path for path in python if path == "/usr" or not path.startswith("/usr/"))
    volumes = [{"name": f"python-{number}", "hostPath": {"path": path}} for number, path in enumerate(shown)]
    mounts = [{"name": f"python-{number}", "mountPath": path, "readOnly": True} for number, path in enumerate(shown)]
    command = [
        sys.executable, "-m", "tests.support.csi_driver", "--state", "/state", "--socket", "/csi/csi.sock",
        "--register", f"/registration/{NAME}-reg.sock", "--endpoint", f"{KUBELET}/plugins/{NAME}/csi.sock",
        "--node", node, "--mount", "--attach",
    ]  # fmt: skip
    environment = {"PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}", "PATH": "/usr/sbin:/usr/bin:/bin"}
    container = {
        "name": "driver",
        "image": "busybox:test",
        "command": command,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "securityContext": {"privileged": True},
        "volumeMounts": [
            {"name": "plugin", "mountPath": "/csi"},
            {"name": "registration", "mountPath": "/registration"},
            {"name": "kubelet", "mountPath": str(KUBELET), "mountPropagation": "Bidirectional"},
            {"name": "state", "mountPath": "/state"},
            *mounts,
        ],
    }
    volumes += [
        {"name": "plugin", "hostPath": {"path": f"{KUBELET}/plugins/{NAME}", "type": "DirectoryOrCreate"}},
        {"name": "registration", "hostPath": {"path": f"{KUBELET}/plugins_registry", "type": "Directory"}},
        {"name": "kubelet", "hostPath": {"path": str(KUBELET), "type": "Directory"}},
        {"name": "state", "emptyDir": {}},
    ]
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container], "volumes": volumes}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "driver"}, "spec": spec}
    return yaml.safe_dump(pod)


def drivers(program: Program) -> dict[str, list[str]]:
    """What the node says of its drivers: topology keys by name."""
    (node,) = program.get("csinodes")["items"]
    return {one["name"]: one.get("topologyKeys") or [] for one in node["spec"]["drivers"] or ()}


def attachments(program: Program) -> list[Any]:
    """Of the driver's volumes."""
    return [one for one in program.get("volumeattachments")["items"] if one["spec"]["attacher"] == NAME]


def volumes(program: Program) -> list[Any]:
    """The driver's."""
    return [one for one in program.get("pv")["items"] if (one["spec"].get("csi") or {}).get("driver") == NAME]


def test_a_driver_in_a_pod_serves_claims_and_inline_volumes(program: Program, namespace: str) -> None:
    inside = ("-n", namespace)
    (node,) = program.get("nodes")["items"]
    name = node["metadata"]["name"]
    program.apply(OBJECTS)
    try:
        program.kubectl("apply", *inside, "-f", "-", stdin=driver_pod(name))
        eventually(lambda: drivers(program).get(NAME) == [TOPOLOGY], "a registered driver")
        program.kubectl("apply", *inside, "-f", "-", stdin=USERS)
        program.kubectl("wait", *inside, "pod/writer", "--for=condition=Ready", WITHIN)
        told = program.kubectl("exec", *inside, "writer", "--", "cat", "/inline/pod").stdout
        assert told == "writer"  # what the driver was told of the pod
        targets = program.kubectl(
            "exec", *inside, "driver", "--", "sh", "-c", f"echo {KUBELET}/pods/*/volumes/*/*/mount"
        )
        assert "/volumes/kubernetes.io~csi/data/mount" in targets.stdout
        stored = program.kubectl("exec", *inside, "driver", "--", "find", "/state/data", "-name", "file", "-ls").stdout
        assert " 2000 " in stored
        (attached,) = attachments(program)
        assert attached["status"]["attached"] is True

        program.kubectl("delete", *inside, "pod/writer", "pvc/data", WITHIN)
        eventually(lambda: not attachments(program), "a detached volume")
        eventually(lambda: not volumes(program), "a deleted volume")
        look = ("exec", *inside, "driver", "--", "find", "/state/data", "-mindepth", "1")
        eventually(lambda: program.kubectl(*look).stdout == "", "the end of what it kept, inline volumes included")
        program.kubectl("delete", *inside, "pod/driver", WITHIN)
        program.kubectl("delete", "-f", "-", stdin=OBJECTS)
    finally:
        program.kubectl("delete", "-f", "-", "--ignore-not-found", stdin=OBJECTS)
