"""The pods that objects come to: where their templates are, how many there will be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from skerry.kube.objects import Obj
from skerry.kube.records import record

_TEMPLATE = ("spec", "template")
_PLACES: Mapping[tuple[str, str], Sequence[str]] = {
    ("v1", "Pod"): (),
    ("v1", "PodTemplate"): ("template",),
    ("v1", "ReplicationController"): _TEMPLATE,
    ("apps/v1", "Deployment"): _TEMPLATE,
    ("apps/v1", "ReplicaSet"): _TEMPLATE,
    ("apps/v1", "StatefulSet"): _TEMPLATE,
    ("apps/v1", "DaemonSet"): _TEMPLATE,
    ("batch/v1", "Job"): _TEMPLATE,
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
"""apiVersion and kind -> the keys that lead to metadata and spec of the pods."""
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")


@record
class Pods:
    """Pods that are alike. `path`: of their spec in the object."""

    path: str
    metadata: Obj
    spec: Obj
    number: int

    def containers(self) -> Iterator[tuple[str, Obj]]:
        """Path and container, those of initialisation first."""
        for part in _CONTAINERS:
            for index, container in enumerate(_list(self.spec.get(part))):
                if isinstance(container, dict):
                    yield f"{self.path}.{part}[{index}]", container


def pods_of(obj: Obj, nodes: int = 1) -> Pods | None:
    """The pods of one object, None when it makes none or its template is not there. `nodes`: how many a DaemonSet
    finds. What is not shaped as it should be is passed over: to say so is the schema check's business."""
    place = _PLACES.get((str(obj.get("apiVersion", "")), str(obj.get("kind", ""))))
    if place is None:
        return None
    holder: object = obj
    for key in place:
        holder = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or not isinstance(holder.get("spec"), dict):
        return None
    metadata = holder.get("metadata")
    path = ".".join((*place, "spec"))
    return Pods(path, metadata if isinstance(metadata, dict) else {}, holder["spec"], _number(obj, nodes))


def _number(obj: Obj, nodes: int) -> int:
    spec = obj.get("spec") if isinstance(obj.get("spec"), dict) else {}
    assert isinstance(spec, dict)
    kind = obj["kind"]
    if kind == "PodTemplate":
        return 0
    if kind == "DaemonSet":
        return nodes
    if kind == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    wanted = spec.get("parallelism" if kind in ("Job", "CronJob") else "replicas", 1)
    if kind in ("Job", "CronJob") and isinstance(wanted, int) and isinstance(spec.get("completions"), int):
        wanted = min(wanted, spec["completions"])
    return wanted if isinstance(wanted, int) and kind != "Pod" else 1


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
