"""Objects of the replays, small."""

from __future__ import annotations

from typing import Any

STATUS_CONDITION = {"type": "StatusUpdate", "status": "True", "reason": "E2E", "message": "Set from a replay"}


def pod_spec(image: str = "one", **more: Any) -> Any:
    return {"containers": [{"name": "web", "image": image}], "terminationGracePeriodSeconds": 0, **more}


def template(labels: dict[str, str], image: str = "one", **more: Any) -> Any:
    return {"metadata": {"labels": labels}, "spec": pod_spec(image, **more)}


def pod(name: str, labels: dict[str, str] | None = None, image: str = "one", **more: Any) -> Any:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": pod_spec(image, **more)}


def workload(name: str, replicas: int = 1, image: str = "one", **spec: Any) -> Any:
    """A Deployment or ReplicaSet whose pods have the label name=`name`."""
    labels = {"name": name}
    whole = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template(labels, image), **spec}
    return {"metadata": {"name": name, "labels": {"e2e": "testing", **labels}}, "spec": whole}


def controller(name: str, replicas: int = 1) -> Any:
    """A ReplicationController."""
    labels = {"name": name}
    spec = {"replicas": replicas, "selector": labels, "template": template(labels)}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def stateful_set(name: str, replicas: int, **spec: Any) -> Any:
    made = workload(name, replicas, **spec)
    made["spec"]["serviceName"] = "test"
    return made


def daemon_set(name: str, **spec: Any) -> Any:
    made = workload(name, **spec)
    del made["spec"]["replicas"]
    return made


def types_of(obj: Any) -> set[str]:
    return {one["type"] for one in obj["status"].get("conditions") or ()}
