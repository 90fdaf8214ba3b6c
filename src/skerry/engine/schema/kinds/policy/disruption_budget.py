"""PodDisruptionBudget. Source: `ValidatePodDisruptionBudgetSpec`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import invalid, not_supported
from skerry.engine.schema.kinds.apps.deployment import check_count_or_percent
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.strategies import SpecStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


class DisruptionBudgetStrategy(SpecStrategy):
    """Either how many must stay or how many may go."""

    def initial_status(self, obj: Obj) -> None:
        """Nothing counted yet; without `observedGeneration` nothing is allowed either."""
        obj["status"] = dict.fromkeys(("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"), 0)

    def validate(self, obj: Obj) -> list[Cause]:
        """Bounds and selector."""
        return list(_check_spec(obj.get("spec") or {}))


def _check_spec(spec: Obj) -> Iterator[Cause]:
    bounds = [name for name in ("minAvailable", "maxUnavailable") if spec.get(name) is not None]
    if len(bounds) > 1:
        yield invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for name in bounds:
        yield from check_count_or_percent(spec[name], f"spec.{name}")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _POLICIES:
        yield not_supported("spec.unhealthyPodEvictionPolicy", policy, _POLICIES)
    if spec.get("selector"):
        yield from check_label_selector(spec["selector"], "spec.selector")
