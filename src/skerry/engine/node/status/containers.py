"""`status.containerStatuses` and `status.initContainerStatuses`, computed from what is known of a pod.

Source of the behaviour: the kubelet's `convertToAPIContainerStatuses`. A container that ended and will be started again
shows why it waits in `state` and its end in `lastState`.
"""

from __future__ import annotations

from datetime import datetime

from skerry.engine.node.pods.state import (
    ContainerRecord,
    PodView,
    ephemeral_containers,
    init_containers,
    is_sidecar,
    main_containers,
    reported_statuses,
)
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj


def main_statuses(view: PodView) -> list[Obj]:
    """One status per `spec.containers`, in its order."""
    default = "PodInitializing" if init_containers(view.pod) else "ContainerCreating"
    return [_status(view, container, default) for container in main_containers(view.pod)]


def init_statuses(view: PodView) -> list[Obj]:
    """One status per `spec.initContainers`, in its order."""
    return [_status(view, container, "PodInitializing") for container in init_containers(view.pod)]


def ephemeral_statuses(view: PodView) -> list[Obj]:
    """One status per `spec.ephemeralContainers`, in its order. They have no probes and are never "ready"."""
    default = "PodInitializing" if init_containers(view.pod) else "ContainerCreating"
    statuses = [_status(view, container, default) for container in ephemeral_containers(view.pod)]
    return [{**status, "ready": False, "started": None} for status in statuses]


def _status(view: PodView, container: Obj, default_reason: str) -> Obj:
    name = container["name"]
    record = view.latest(name)
    state, last_state = _states(view, container, default_reason)
    status: Obj = {
        "name": name,
        "state": state,
        "lastState": last_state,
        "ready": _ready(view, container, record),
        "restartCount": record.attempt if record else _reported_restarts(view, name),
        "image": (record.image if record else "") or container.get("image", ""),
        "imageID": record.image_id if record else "",
        "started": bool(record and record.running and view.probe(record).started),
    }
    if mounts := container.get("volumeMounts"):
        status["volumeMounts"] = [_mount(mount) for mount in mounts]
    status.update(_resources(view, container, record))
    if record:
        status["containerID"] = f"containerd://{record.id}"
    return status


def _resources(view: PodView, container: Obj, record: ContainerRecord | None) -> Obj:
    """What is in force, and what of it was asked for."""
    wanted = container.get("resources") or {}
    applied = view.applied.get(record.id, wanted) if record and record.running else wanted
    requests = applied.get("requests")
    return {"resources": applied, **({"allocatedResources": requests} if requests else {})}


def _mount(mount: Obj) -> Obj:
    shown: Obj = {"name": mount["name"], "mountPath": mount["mountPath"]}
    return {**shown, "readOnly": True, "recursiveReadOnly": "Disabled"} if mount.get("readOnly") else shown


def _reported_restarts(view: PodView, name: str) -> int:
    for reported in reported_statuses(view.pod):
        if reported.get("name") == name:
            return int(reported.get("restartCount", 0))
    return 0


def _ready(view: PodView, container: Obj, record: ContainerRecord | None) -> bool:
    """Main containers and sidecars by their probes; a regular init container is ready once it has succeeded."""
    if record is None:
        return False
    is_init = any(other is container for other in init_containers(view.pod))
    if is_init and not is_sidecar(container):
        return record.succeeded
    probe = view.probe(record)
    return record.running and probe.started and probe.ready


def _states(view: PodView, container: Obj, default_reason: str) -> tuple[Obj, Obj]:
    """(state, lastState)."""
    name = container["name"]
    record, previous, wait = view.latest(name), view.previous(name), view.waits.get(name)
    last = _terminated(previous) if previous and previous.exited else {}
    if record is not None and record.running:
        return {"running": {"startedAt": _time(record.started)}}, last
    if wait is not None and view.termination is None:
        return _waiting(wait.reason, wait.message), _terminated(record) if record and record.exited else last
    if record is not None and record.exited:
        return _terminated(record), last
    return _waiting(default_reason), last


def _waiting(reason: str, message: str = "") -> Obj:
    return {"waiting": {"reason": reason, **({"message": message} if message else {})}}


def _terminated(record: ContainerRecord) -> Obj:
    """`state.terminated`. Exit codes above 128 stay as they are; a signal is not told apart (nor does the kubelet)."""
    ended: Obj = {
        "exitCode": record.exit_code,
        "reason": record.reason,
        "startedAt": _time(record.started),
        "finishedAt": _time(record.finished),
        "containerID": f"containerd://{record.id}",
    }
    if record.message:
        ended["message"] = record.message
    return {"terminated": ended}


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
