"""The objects by which a volume's data is kept in `skerry-archives`, and what their pods say. Pure.

A project's namespace is its people's: a pod there would need root against its Pod Security level, room in its quota, a
hole in admission, and could be entered by whoever may exec. So the volume comes to us: a second PersistentVolume with
the same source, never reclaimed, read-only, bound to a claim in our namespace. Neighbour: `data` acts.
"""

from __future__ import annotations

import json
from typing import Any

from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.quantities import bytes_of
from skerry.kube.records import record
from skerry.platform.projects.lifecycle.archiving.packing import ARCHIVE_LABEL, ARCHIVES, life_of
from skerry.platform.projects.lifecycle.archiving.programs import ARCHIVE, COPY, DATA, MEASURE

LIFE_LABEL = "skerry.dev/archive-life"
"""On everything of an archive: the project's name and the beginning of its uid."""
KEPT = "skerry.dev/kept"
"""Annotation of a claim that has a volume's data: what it has, JSON; only when it is whole."""
OF_CLAIM = "skerry.dev/archive-of-claim"
"""Annotation of the same: whose data it is, "namespace/name"."""
IMAGE = "skerry.dev/archiver-image"
"""Annotation of `skerry-archives`: the image whose tar is used, where it is not the engine's own."""
CLASS = "skerry.dev/archive-class"
"""Annotation of `skerry-archives`: the class of the claims that keep data, where it is not the default."""
OWN_IMAGE = "skerry.dev/archiver:1"
"""The engine has it."""
_PER_ENTRY, _MORE = 2048, 64 << 20  # bytes: tar's heads, and what file systems take for themselves
_STEP = 1 << 20
_READS, _WRITES = ["DAC_READ_SEARCH"], ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP"]


@record
class Copy:
    """A volume's data and what is needed to keep it. `claim`: the project's."""

    project: Obj
    claim: Obj
    volume: Obj

    @property
    def name(self) -> str:
        """Of the claim that has the data, and the beginning of the other names."""
        return f"{life_of(self.project)}-{uid_of(self.claim)[:8]}"

    @property
    def source(self) -> str:
        """Of the claim and the PersistentVolume by which the volume is read."""
        return f"{self.name}-source"

    @property
    def what(self) -> str:
        """For people."""
        return f"{namespace_of(self.claim)}/{name_of(self.claim)}"


@record
class Place:
    """What operators have said about where archives are kept."""

    image: str = OWN_IMAGE
    storage_class: str = ""


def labels(project: Obj) -> dict[str, str]:
    """Of everything that is made for an archive."""
    return {ARCHIVE_LABEL: name_of(project), LIFE_LABEL: life_of(project)}


def source_volume(copy: Copy) -> Obj:
    """The volume once more, to be bound to our claim and to be left alone when that is gone."""
    spec = {name: value for name, value in copy.volume["spec"].items() if name != "claimRef"}
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": ARCHIVES, "name": copy.source}
    return {
        "metadata": {"name": copy.source, "labels": labels(copy.project)},
        "spec": {**spec, "persistentVolumeReclaimPolicy": "Retain", "storageClassName": "", "claimRef": reference},
    }


def source_claim(copy: Copy) -> Obj:
    """It asks for a byte: room is counted where data is kept, not where it is read."""
    spec = {
        "accessModes": copy.volume["spec"]["accessModes"],
        "resources": {"requests": {"storage": "1"}},
        "storageClassName": "",
        "volumeName": copy.source,
    }
    return {"metadata": {"name": copy.source, "labels": labels(copy.project)}, "spec": spec}


def room_for(measured: Obj) -> int:
    """Bytes that an archive may take, should nothing of it become smaller by packing."""
    bytes_ = int(measured["bytes"]) + _PER_ENTRY * int(measured["entries"]) + _MORE
    return -(-bytes_ // _STEP) * _STEP


def data_claim(copy: Copy, room: int, place: Place) -> Obj:
    """Where the data is kept."""
    spec: Obj = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{room >> 20}Mi"}}}
    if place.storage_class:
        spec["storageClassName"] = place.storage_class
    metadata = {"name": copy.name, "labels": labels(copy.project), "annotations": {OF_CLAIM: copy.what}}
    return {"metadata": metadata, "spec": spec}


def measuring_pod(copy: Copy, place: Place) -> Obj:
    """Says how much there is to keep."""
    mounts = [_mount(DATA, copy.source, read_only=True)]
    return pod(f"{copy.name}-measure", labels(copy.project), place.image, Task(MEASURE, mounts))


def copying_pod(copy: Copy, place: Place) -> Obj:
    """Keeps it."""
    mounts = [_mount(DATA, copy.source, read_only=True), _mount(ARCHIVE, copy.name, read_only=False)]
    return pod(f"{copy.name}-copy", labels(copy.project), place.image, Task(COPY, mounts))


@record
class Task:
    """What a pod does: `mounts` as `_mount` makes them."""

    program: str
    mounts: list[tuple[str, str, bool]]
    env: tuple[tuple[str, str], ...] = ()
    writes: bool = False
    """Whether it gives files to their owners."""


def filling_mounts(archive: str, claim: str) -> list[tuple[str, str, bool]]:
    """Of a pod that fills a claim from an archive."""
    return [_mount(ARCHIVE, archive, read_only=True), _mount(DATA, claim, read_only=False)]


def giving_mounts(archive: str) -> list[tuple[str, str, bool]]:
    """Of a pod that an archive is read through."""
    return [_mount(ARCHIVE, archive, read_only=True)]


def _mount(path: str, claim: str, *, read_only: bool) -> tuple[str, str, bool]:
    return path, claim, read_only


def pod(name: str, marks: dict[str, str], image: str, task: Task) -> Obj:
    """Root, with no power but over files, without network, service account or more than its volumes."""
    names = [path.strip("/") for path, _, _ in task.mounts]
    mounts = [
        {"name": name, "mountPath": path, "readOnly": read_only}
        for name, (path, _, read_only) in zip(names, task.mounts, strict=True)
    ]
    volumes = [
        {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}
        for name, (_, claim, read_only) in zip(names, task.mounts, strict=True)
    ]
    powers = {"drop": ["ALL"], "add": _WRITES if task.writes else _READS}
    container = {
        "name": "archiver",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", task.program],
        "env": [{"name": key, "value": value} for key, value in task.env],
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "runAsUser": 0,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": powers,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
        "volumes": volumes,
    }
    return {"metadata": {"name": name, "labels": marks}, "spec": spec}


@record
class Said:
    """How far a pod is. `message`: what it said at its end, or why it does not run."""

    phase: str
    message: str
    ended: str = ""
    """When."""


def said_by(pod_: Obj) -> Said:
    """What a pod of ours has said so far."""
    status = pod_.get("status") or {}
    phase, made = status.get("phase") or "Pending", pod_["metadata"].get("creationTimestamp") or ""
    for one in status.get("containerStatuses") or ():
        state = one.get("state") or {}
        if ended := state.get("terminated"):
            text = str(ended.get("message") or status.get("message") or ended.get("reason") or "").strip()
            return Said(phase, text, ended.get("finishedAt") or made)
        if waiting := state.get("waiting"):
            return Said(phase, ": ".join(filter(None, (waiting.get("reason"), waiting.get("message")))))
    if phase == "Failed":  # before it ran, or the node has no container of it any more
        return Said(phase, str(status.get("message") or status.get("reason") or ""), made)
    troubles = (one for one in status.get("conditions") or () if one.get("status") == "False")
    return Said(phase, next((one["message"] for one in troubles if one.get("message")), ""))


def told(pod_: Obj) -> Any:
    """The JSON that a pod said at its end, None when it is none."""
    try:
        found = json.loads(said_by(pod_).message)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def entry(copy: Copy, kept: Obj) -> Obj:
    """What `KEPT` says: enough to make the claim anew, and to check what is in it."""
    spec = copy.claim["spec"]
    size = (copy.claim.get("status") or {}).get("capacity") or spec["resources"]["requests"]
    return {
        "claim": copy.what,
        "uid": uid_of(copy.claim),
        "size": size["storage"],
        "bytes": int(kept["bytes"]),
        "sha256": str(kept["sha256"]),
    }


def size_text(number: int) -> str:
    """Bytes, for people."""
    return f"{number / (1 << 20):,.0f} MiB" if number >= 1 << 20 else f"{number:,} bytes"


def claim_size(claim: Obj) -> int:
    """What a claim asks for, bytes."""
    return bytes_of(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", 0))
