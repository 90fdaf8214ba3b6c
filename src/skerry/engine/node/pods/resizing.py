"""Changing CPU and memory of running containers: what is wanted against what is in force, and whether it fits. Pure.

Neighbours: `plan` asks which containers to change, `containers` does it, `status` tells. Source of the behaviour: the
kubelet's `pkg/kubelet/allocation` and `computePodResizeAction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from skerry.engine.node.pods.room import requests_of, shown
from skerry.engine.node.pods.state import PodView, all_containers
from skerry.kube.objects import Obj, uid_of
from skerry.kube.quantities import parse_quantity

RESIZED = ("cpu", "memory")


def amounts(resources: Obj) -> dict[tuple[str, str], Decimal]:
    """CPU and memory by (limits or requests, name)."""
    return {
        (side, name): parse_quantity((resources.get(side) or {})[name])
        for side in ("limits", "requests")
        for name in RESIZED
        if name in (resources.get(side) or {})
    }


def changed(container: Obj, applied: Obj | None) -> set[str]:
    """Which of CPU and memory of a container are not as its definition wants them."""
    if applied is None:
        return set()
    wanted, present = amounts(container.get("resources") or {}), amounts(applied)
    return {
        name for side, name in wanted.keys() | present.keys() if wanted.get((side, name)) != present.get((side, name))
    }


def needs_restart(container: Obj, names: set[str]) -> bool:
    """Whether the container's `resizePolicy` asks for a restart when one of these changes."""
    policies = {each["resourceName"]: each.get("restartPolicy") for each in container.get("resizePolicy") or ()}
    return any(policies.get(name) == "RestartContainer" for name in names)


def in_progress(view: PodView) -> bool:
    """Whether the pod as a whole or a running container has not the resources it wants."""
    records = ((container, view.latest(container["name"])) for container in all_containers(view.pod))
    return bool(changed(view.pod["spec"], view.pod_applied)) or any(
        record and record.running and changed(container, view.applied.get(record.id)) for container, record in records
    )


def with_applied(pod: Obj, applied: Mapping[str, Obj], whole: Obj | None) -> Obj:
    """The pod as if its containers, by name, and the pod as a whole wanted what is in force."""
    spec = {**pod["spec"]}
    for part in ("initContainers", "containers"):
        if spec.get(part):
            spec[part] = [
                {**each, "resources": applied.get(each["name"], each.get("resources") or {})} for each in spec[part]
            ]
    if whole is not None and spec.get("resources"):
        spec["resources"] = whole
    return {**pod, "spec": spec}


def pending(pod: Obj, others: Iterable[Obj], allocatable: Mapping[str, Decimal]) -> tuple[str, str] | None:
    """Why a pod cannot have what it asks for: (reason, message) of PodResizePending, None when it can. "Infeasible":
    never on this node; "Deferred": not beside the other pods."""
    wanted = requests_of(pod)
    for name in RESIZED:
        if wanted[name] > allocatable[name]:
            text = f"Node didn't have enough capacity: {name}, requested: {shown(name, wanted[name])}, "
            return "Infeasible", text + f"capacity: {shown(name, allocatable[name])}"
    used = [requests_of(other) for other in others if uid_of(other) != uid_of(pod) and lives(other)]
    for name in RESIZED:
        if wanted[name] + sum(each[name] for each in used) > allocatable[name]:
            return "Deferred", f"Node didn't have enough resource: {name}"
    return None


def frees_room(old: Obj, new: Obj | None) -> bool:
    """Whether a pod may hold less of its node than before; `new` is None when it is gone."""
    if new is None or (lives(old) and not lives(new)):
        return True
    return bool(old["spec"] != new["spec"])


def lives(pod: Obj) -> bool:
    """Whether a pod holds anything of its node."""
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
