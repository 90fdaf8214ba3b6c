"""Deployments as tests write them, and what they ask about them."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj, annotations_of, controller_of, is_deleting, name_of
from skerry.kube.resources import DEPLOYMENTS, PODS, REPLICA_SETS
from tests.support.controllers import World


def deployment(name: str = "web", replicas: int = 3, image: str = "app:1", **spec: Any) -> Obj:
    """A Deployment of one container."""
    labels = {"app": name}
    containers = [{"name": "app", "image": image}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    body = {
        "replicas": replicas,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": labels},
        "template": template,
        **spec,
    }
    return {"metadata": {"name": name, "namespace": "default"}, "spec": body}


def set_image(image: str) -> Obj:
    """A strategic merge patch of the container's image."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}}


def condition(world: World, type_: str, name: str = "web") -> Obj:
    """A condition of the Deployment, {} when absent."""
    found = world.get(DEPLOYMENTS, name) or {}
    conditions = (found.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == type_), {})


def is_rolled_out(world: World, replicas: int, name: str = "web", image: str = "") -> bool:
    """What `kubectl rollout status` waits for, and that nothing else is left."""
    found = world.get(DEPLOYMENTS, name)
    if found is None:
        return False
    status = found.get("status") or {}
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")]
    current = status.get("observedGeneration") == found["metadata"]["generation"]
    right_image = not image or found["spec"]["template"]["spec"]["containers"][0]["image"] == image
    progressing = condition(world, "Progressing", name).get("reason") == "NewReplicaSetAvailable"
    return current and counts == [replicas] * 4 and right_image and progressing and len(world.list(PODS)) == replicas


def replica_sets(world: World) -> dict[str, Obj]:
    """ReplicaSets by revision."""
    return {annotations_of(one)["deployment.kubernetes.io/revision"]: one for one in world.list(REPLICA_SETS)}


def sizes(world: World) -> dict[str, int]:
    """Wanted replicas by revision."""
    return {revision: one["spec"]["replicas"] for revision, one in replica_sets(world).items()}


def images(world: World) -> set[str]:
    """Images of the pods that are not on their way out."""
    return {pod["spec"]["containers"][0]["image"] for pod in world.list(PODS) if not is_deleting(pod)}


def owner_name(obj: Obj) -> str:
    """Name of the controlling owner."""
    return name_of({"metadata": controller_of(obj) or {}})
