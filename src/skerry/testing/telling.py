"""What simulated nodes tell of pods in events: what a kubelet does, for programs that wait for it. Pure.

A container that starts is told of as Pulled, Created and Started, one that is stopped as Killing. Init containers come
first. Neighbours: `rule` says what the status is, `nodes` records. Source of reasons and wording: Kubernetes'
`pkg/kubelet/kuberuntime/kuberuntime_container.go` and `pkg/kubelet/images/image_manager.go`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.kube.objects import Obj
from skerry.kube.records import record

_PARTS = (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses"))


@record
class Told:
    """One event of a pod. `field_path` says which container it is about."""

    reason: str
    message: str
    field_path: str


def told_of_start(pod: Obj, status: Obj) -> Iterator[Told]:
    """What there is to tell when the pod's status becomes `status`: containers that have started since."""
    before = {_path(place, container) for place, container, _ in _that_started(pod, pod.get("status") or {})}
    for place, container, _ in _that_started(pod, status):
        path, image = _path(place, container), container.get("image", "")
        if path in before:
            continue
        yield Told("Pulled", f'Container image "{image}" already present on machine', path)
        yield Told("Created", "Container created", path)
        yield Told("Started", "Container started", path)


def told_of_end(pod: Obj) -> Iterator[Told]:
    """What there is to tell when the pod is deleted: containers that still ran."""
    for place, container, status in _that_started(pod, pod.get("status") or {}):
        if "running" in status["state"]:
            yield Told("Killing", f"Stopping container {container['name']}", _path(place, container))


def _that_started(pod: Obj, status: Obj) -> Iterator[tuple[str, Obj, Obj]]:
    """(part of the spec, container, its status) of containers that run or have run."""
    for place, reported in _PARTS:
        known = {one["name"]: one for one in status.get(reported) or ()}
        for container in pod["spec"].get(place) or ():
            found = known.get(container["name"])
            if found is not None and ("waiting" not in found["state"] or found.get("lastState")):
                yield place, container, found


def _path(place: str, container: Obj) -> str:
    return f"spec.{place}{{{container['name']}}}"
