"""Changing CPU and memory of running containers: what is wanted against what is in force, and whether it fits. Pure.

Neighbours: `plan` asks which containers to change, `containers` does it, `status` tells. Source of the behaviour: the
kubelet's `pkg/kubelet/allocation` and `computePodResizeAction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from skerry.engine.node.pods.state import ContainerRecord, PodView, all_containers, init_containers, is_sidecar
from skerry.engine.node.pods.state import main_containers as mains
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


def in_progress(view: PodView) -> list[ContainerRecord]:
    """Running containers whose resources are not as wanted."""
    records = ((container, view.latest(container["name"])) for container in all_containers(view.pod))
    return [record for container, record in records
            if record and record.running and changed(container, view.applied.get(record.id))]  # fmt: skip


def with_applied(pod: Obj, applied: Mapping[str, Obj]) -> Obj:
    """The pod as if its containers wanted what is in force."""
    spec = {**pod["spec"]}
    for part in ("initContainers", "containers"):
        if spec.get(part):
            spec[part] = [
                {**each, "resources": applied.get(each["name"], each.get("resources") or {})} for each in spec[part]
            ]
    return {**pod, "spec": spec}


def pending(pod: Obj, others: Iterable[Obj], allocatable: Mapping[str, Decimal]) -> tuple[str, str] | None:
    """Why a pod cannot have what it asks for: (reason, message) of PodResizePending, None when it can. "Infeasible":
    never on this node; "Deferred": not beside the other pods."""
    wanted = _requests(pod)
    for name in RESIZED:
        if wanted[name] > allocatable[name]:
            text = f"Node didn't have enough capacity: {name}, requested: {_shown(name, wanted[name])}, "
            return "Infeasible", text + f"capacity: {_shown(name, allocatable[name])}"
    used = [_requests(other) for other in others if uid_of(other) != uid_of(pod) and _lives(other)]
    for name in RESIZED:
        if wanted[name] + sum(each[name] for each in used) > allocatable[name]:
            return "Deferred", f"Node didn't have enough resource: {name}"
    return None


def _lives(pod: Obj) -> bool:
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")


def _requests(pod: Obj) -> dict[str, Decimal]:
    """What a pod holds while its main containers run."""
    holders = [*mains(pod), *(each for each in init_containers(pod) if is_sidecar(each))]
    return {name: sum((_request(each, name) for each in holders), Decimal(0)) for name in RESIZED}


def _request(container: Obj, name: str) -> Decimal:
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return parse_quantity(asked.get(name, 0))


def _shown(name: str, amount: Decimal) -> int:
    """As the kubelet prints it: millicores, bytes."""
    return int(amount * 1000) if name == "cpu" else int(amount)
