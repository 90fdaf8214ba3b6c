"""HorizontalPodAutoscaler. Source: `SetDefaults_HorizontalPodAutoscaler`, `validateHorizontalPodAutoscalerSpec`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import invalid, required
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, copy_of

_CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}


class AutoscalerStrategy(UncountedStrategy):
    """How many pods, between two bounds, by what measure."""

    def default(self, obj: Obj) -> None:
        """At least one; by CPU at 80 %."""
        spec = obj.setdefault("spec", {})
        set_default(spec, "minReplicas", 1)
        if not spec.get("metrics"):
            spec["metrics"] = [copy_of(_CPU)]

    def validate(self, obj: Obj) -> list[Cause]:
        """Bounds and target."""
        return list(_check_spec(obj.get("spec") or {}))


def _check_spec(spec: Obj) -> Iterator[Cause]:
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef") or {}
    for part in ("kind", "name"):
        if not target.get(part):
            yield required(f"spec.scaleTargetRef.{part}")
