"""HorizontalPodAutoscaler. Source: `SetDefaults_HorizontalPodAutoscaler` of autoscaling/v2; rules are in `rules`."""

from __future__ import annotations

from skerry.engine.schema.kinds.autoscaling.rules import check_spec
from skerry.engine.schema.strategies import UncountedStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, copy_of

_CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
_DOUBLE = {"type": "Percent", "value": 100, "periodSeconds": 15}
_BEHAVIOR: Obj = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}, _DOUBLE],
    },
    "scaleDown": {"selectPolicy": "Max", "policies": [_DOUBLE]},
}
"""What a behavior that says only a part has for the rest."""


class AutoscalerStrategy(UncountedStrategy):
    """How many pods, between two bounds, by what measure."""

    def default(self, obj: Obj) -> None:
        """At least one; by CPU at 80 %."""
        spec = obj.setdefault("spec", {})
        set_default(spec, "minReplicas", 1)
        if not spec.get("metrics"):
            spec["metrics"] = [copy_of(_CPU)]
        if spec.get("behavior") is not None:
            for part, default in _BEHAVIOR.items():
                spec["behavior"][part] = {**copy_of(default), **(spec["behavior"].get(part) or {})}

    def initial_status(self, obj: Obj) -> None:
        """Nothing wanted yet."""
        obj["status"] = {"desiredReplicas": 0}

    def validate(self, obj: Obj) -> list[Cause]:
        """Bounds, target, metrics, behavior."""
        return list(check_spec(obj.get("spec") or {}))
