"""HorizontalPodAutoscaler of autoscaling/v1: the same object as v2's, with CPU alone as a field.

What v1 has no field for it carries in annotations, so that nothing is lost on the way through an old client.
Source: `pkg/apis/autoscaling/v1/conversion.go`, `pkg/apis/autoscaling/annotations.go`.
"""

from __future__ import annotations

from typing import Any

import orjson

from skerry.engine.schema.kinds.autoscaling.horizontal import AutoscalerStrategy
from skerry.engine.schema.kinds.autoscaling.metrics import new_metric, new_status, old_metric, old_status
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, copy_of

_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, CURRENT, CONDITIONS, BEHAVIOR = (
    f"{_PREFIX}{name}" for name in ("metrics", "current-metrics", "conditions", "behavior")
)
_COUNTS = {"currentReplicas": 0, "desiredReplicas": 0}
"""What v1 always shows: clients generated from its schema refuse a status without."""
_DEFAULT_CPU = 80  # percent of what is requested


class OldAutoscalerStrategy(UncountedStrategy):
    """v1: held to v2's rules."""

    def default(self, obj: Obj) -> None:
        """At least one."""
        set_default(obj.setdefault("spec", {}), "minReplicas", 1)

    def initial_status(self, obj: Obj) -> None:
        """Nothing counted yet."""
        obj["status"] = dict(_COUNTS)

    def validate(self, obj: Obj) -> list[Cause]:
        """As v2 checks what this comes to."""
        return AutoscalerStrategy().validate(to_v2(copy_of(obj)))


def to_v1(obj: Obj) -> Obj:
    """A v2 object (private) as v1 shows it."""
    spec, status = obj.get("spec") or {}, {**_COUNTS, **(obj.get("status") or {})}
    obj["status"] = status
    metrics, current = spec.pop("metrics", None) or [], status.pop("currentMetrics", None) or []
    cpu, others = _take_cpu(metrics, "target")
    cpu_now, others_now = _take_cpu(current, "current")
    if cpu is not None:
        spec["targetCPUUtilizationPercentage"] = cpu
    if cpu_now is not None:
        status["currentCPUUtilizationPercentage"] = cpu_now
    carried: dict[str, Any] = {
        METRICS: [old_metric(each) for each in others],
        CURRENT: [old_status(each) for each in others_now],
        CONDITIONS: status.pop("conditions", None),
        BEHAVIOR: spec.pop("behavior", None),
    }
    annotations = {**_plain(obj), **{name: _text(value) for name, value in carried.items() if value}}
    return _with(obj, "autoscaling/v1", annotations)


def to_v2(obj: Obj) -> Obj:
    """A v1 object (private) as it is stored."""
    carried = {name: _value(obj, name) for name in (METRICS, CURRENT, CONDITIONS, BEHAVIOR)}
    spec, status = obj.setdefault("spec", {}), obj.get("status")
    metrics = [new_metric(each) for each in carried[METRICS] or () if isinstance(each, dict)]
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None or not metrics:
        metrics.insert(0, _cpu("target", _DEFAULT_CPU if percent is None else percent))
    spec["metrics"] = metrics
    if isinstance(carried[BEHAVIOR], dict):
        spec["behavior"] = carried[BEHAVIOR]
    if status is not None:
        if not status.get("currentReplicas"):
            status.pop("currentReplicas", None)
        current = [new_status(each) for each in carried[CURRENT] or () if isinstance(each, dict)]
        percent = status.pop("currentCPUUtilizationPercentage", None)
        if percent is not None:
            current.insert(0, _cpu("current", percent))
        status["currentMetrics"] = current or None
        if isinstance(carried[CONDITIONS], list):
            status["conditions"] = carried[CONDITIONS]
    return _with(obj, "autoscaling/v2", _plain(obj))


def _cpu(side: str, percent: int) -> Obj:
    measure: Obj = {"averageUtilization": percent}
    if side == "target":
        measure = {"type": "Utilization", **measure}
    return {"type": "Resource", "resource": {"name": "cpu", side: measure}}


def _take_cpu(metrics: list[Obj], side: str) -> tuple[int | None, list[Obj]]:
    """The first metric that is CPU by utilization, and the others."""
    for index, metric in enumerate(metrics):
        resource = metric.get("resource") or {}
        percent = (resource.get(side) or {}).get("averageUtilization")
        if metric.get("type") == "Resource" and resource.get("name") == "cpu" and percent is not None:
            return int(percent), metrics[:index] + metrics[index + 1 :]
    return None, metrics


def _plain(obj: Obj) -> dict[str, str]:
    """Annotations without those that carry fields."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    return {name: value for name, value in annotations.items() if name not in (METRICS, CURRENT, CONDITIONS, BEHAVIOR)}


def _value(obj: Obj, name: str) -> Any:
    """What an annotation carries; None for one that is missing or no JSON."""
    text = ((obj.get("metadata") or {}).get("annotations") or {}).get(name)
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _with(obj: Obj, api_version: str, annotations: dict[str, str]) -> Obj:
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    status = obj.get("status")
    if status is not None and status.get("currentMetrics", 0) is None:
        del status["currentMetrics"]
    return {**obj, "apiVersion": api_version, "metadata": metadata}
