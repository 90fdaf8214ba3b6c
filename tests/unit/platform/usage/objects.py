"""Objects to count."""

from __future__ import annotations

from datetime import UTC, datetime

from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.platform.usage.projects import PROJECT_LABEL
from skerry.platform.usage.types import USER_ANNOTATION

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEGIN = int(NOON.timestamp())


def at(second: int) -> str:
    """So many seconds after noon."""
    return rfc3339(datetime.fromtimestamp(BEGIN + second, UTC))


def namespace(name: str, project: str = "") -> Obj:
    return {"metadata": {"name": name, "uid": name, "labels": {PROJECT_LABEL: project} if project else {}}}


def pod(uid: str, begin: int | None, end: int | None = None, *, cpu: str = "1", **more: object) -> Obj:
    """One of anna's in namespace lidar; it ended when `end` is given."""
    status: Obj = {"phase": "Running" if begin is not None else "Pending"}
    if begin is not None:
        status["startTime"] = at(begin)
    if end is not None:
        terminated = {"exitCode": 0, "finishedAt": at(end)}
        status |= {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": terminated}}]}
    annotations = {USER_ANNOTATION: "anna"}
    requests = {"cpu": cpu, "memory": "1Gi", **more}
    return {
        "metadata": {"name": uid, "namespace": "lidar", "uid": uid, "annotations": annotations},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "resources": {"requests": requests}}]},
        "status": status,
    }


def claim(uid: str, begin: int, size: str = "", phase: str = "Bound") -> Obj:
    status: Obj = {"phase": phase, **({"capacity": {"storage": size}} if size else {})}
    return {
        "metadata": {"name": uid, "namespace": "lidar", "uid": uid, "creationTimestamp": at(begin)},
        "spec": {},
        "status": status,
    }
