"""StatefulSets, DaemonSets and ReplicationControllers as tests write them, and what they ask about them."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj, Resource, is_deleting, name_of
from skerry.kube.resources import DAEMON_SETS, PODS, STATEFUL_SETS
from tests.support.controllers import World

CLAIM = {
    "metadata": {"name": "data", "labels": {"tier": "fast"}},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def _template(name: str, image: str) -> Obj:
    return {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": image}]}}


def stateful_set(name: str = "web", replicas: int = 3, image: str = "app:1", **spec: Any) -> Obj:
    """A StatefulSet of one container."""
    body = {
        "replicas": replicas,
        "serviceName": name,
        "selector": {"matchLabels": {"app": name}},
        "template": _template(name, image),
        **spec,
    }
    return {"metadata": {"name": name, "namespace": "default"}, "spec": body}


def daemon_set(name: str = "agent", image: str = "app:1", **spec: Any) -> Obj:
    """A DaemonSet of one container."""
    template = _template(name, image)
    template["spec"] |= spec.pop("pod", {})
    body = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": body}


def replication_controller(name: str = "rc", replicas: int = 3, **spec: Any) -> Obj:
    """A ReplicationController that leaves its selector to the defaults."""
    body = {"replicas": replicas, "template": _template(name, "app:1"), **spec}
    return {"metadata": {"name": name, "namespace": "default"}, "spec": body}


def status(world: World, resource: Resource, name: str) -> Obj:
    """The object's status, {} when it is not there."""
    found: Obj = (world.get(resource, name) or {}).get("status") or {}
    return found


def pod_names(world: World) -> list[str]:
    """Names of the pods that are not on their way out, sorted."""
    return sorted(name_of(pod) for pod in world.list(PODS) if not is_deleting(pod))


def pod_images(world: World) -> dict[str, str]:
    """Image by pod."""
    return {name_of(pod): pod["spec"]["containers"][0]["image"] for pod in world.list(PODS) if not is_deleting(pod)}


def is_settled(world: World, replicas: int, name: str = "web") -> bool:
    """Whether a StatefulSet has what it wants, all of one revision, and says so."""
    found = world.get(STATEFUL_SETS, name)
    if found is None:
        return False
    shown = found.get("status") or {}
    counts = [shown.get(key, 0) for key in ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")]
    current = shown.get("observedGeneration") == found["metadata"]["generation"]
    rolled = shown.get("currentRevision") == shown.get("updateRevision")
    return current and rolled and counts == [replicas] * 4 and len(world.list(PODS)) == replicas


def is_everywhere(world: World, nodes: int, name: str = "agent") -> bool:
    """Whether a DaemonSet has an up-to-date, available pod on so many nodes, and says so."""
    found = world.get(DAEMON_SETS, name)
    if found is None:
        return False
    shown = found.get("status") or {}
    names = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    current = shown.get("observedGeneration") == found["metadata"]["generation"]
    counts = [shown.get(key, 0) for key in (*names, "numberAvailable")]
    return current and counts == [nodes] * 5 and len(world.list(PODS)) == nodes
