"""What an app uses at this moment, as metrics-server or the engine tell it; and what it may use. Pure.

Asked only while somebody looks. Source: k8s.io/metrics `v1beta1`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.objects import Obj, Resource, name_of
from skerry.kube.quantities import bytes_of, parse_quantity
from skerry.kube.records import record

POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")
NODE_METRICS = Resource("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False)
SECONDS = 5.0
"""Between two looks."""


@record
class Use:
    """Of CPUs (1.5: one and a half) and bytes of memory."""

    cpu: float
    memory: int


@record
class Point:
    """What was used at a time (seconds since 1970), in all and by pod."""

    time: float
    total: Use
    pods: dict[str, Use]


def point(metrics: Iterable[Obj], pods: Iterable[Obj], time: float) -> Point:
    """Of those pods; one that is not measured yet is left out."""
    wanted = {name_of(one) for one in pods}
    used = {name_of(one): _used(one) for one in metrics if name_of(one) in wanted}
    return Point(time, Use(sum(one.cpu for one in used.values()), sum(one.memory for one in used.values())), used)


def limits_of(pods: Iterable[Obj]) -> Use | None:
    """What the pods may use at most; None when one of them has no limit of something."""
    cpu, memory = 0.0, 0
    for pod in pods:
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        for container in pod["spec"]["containers"]:
            limits = (container.get("resources") or {}).get("limits") or {}
            if "cpu" not in limits or "memory" not in limits:
                return None
            cpu += float(parse_quantity(limits["cpu"]))
            memory += bytes_of(limits["memory"])
    return Use(cpu, memory) if memory else None


def shown(value: Use | None) -> dict[str, float] | None:
    """For a script."""
    return None if value is None else {"cpu": round(value.cpu, 4), "memory": value.memory}


def _used(metrics: Obj) -> Use:
    containers = metrics.get("containers") or ()
    cpu = sum(float(parse_quantity(one["usage"].get("cpu", 0))) for one in containers)
    return Use(cpu, sum(bytes_of(one["usage"].get("memory", 0)) for one in containers))
