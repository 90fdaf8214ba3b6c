"""What an autoscaler's status says. Pure. Source: Kubernetes `pkg/controller/podautoscaler/horizontal.go`."""

from __future__ import annotations

from datetime import datetime

from skerry.engine.controllers.autoscaling.limits import Limited
from skerry.engine.controllers.autoscaling.usage import Proposal, Target, thousandths
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import conditions_of, find_condition, with_condition
from skerry.kube.objects import Obj
from skerry.kube.quantities import canonical


class Report:
    """The status as it comes to be during one look at an autoscaler."""

    def __init__(self, autoscaler: Obj, now: datetime) -> None:
        self._now = now
        self._known = autoscaler.get("status") or {}
        self.conditions = conditions_of(autoscaler)

    def condition(self, type_: str, holds: bool, reason: str, message: str) -> None:
        """Set one."""
        status = "True" if holds else "False"
        new = {"type": type_, "status": status, "reason": reason, "message": message}
        known = find_condition(self.conditions, type_)
        if known is None or {name: known.get(name) for name in new} != new:
            self.conditions = with_condition(self.conditions, new, self._now)

    def limited(self, result: Limited) -> None:
        """The two conditions about what held it back."""
        self.condition("AbleToScale", True, *result.stabilized)
        self.condition("ScalingLimited", result.is_bounded, *result.bound)

    def status(self, current: int, desired: int, metrics: list[Obj] | None, *, rescaled: bool) -> Obj:
        """The whole; `metrics` None leaves the figures as they are."""
        shown = self._known.get("currentMetrics") if metrics is None else metrics
        fields = {
            "currentReplicas": current,
            "lastScaleTime": rfc3339(self._now) if rescaled else self._known.get("lastScaleTime"),
            "currentMetrics": shown,
            "conditions": self.conditions,
        }
        return {"desiredReplicas": desired, **{name: value for name, value in fields.items() if value}}

    def failed(self, current: int | None) -> Obj:
        """When no count could be worked out: what is known stays."""
        known = {"desiredReplicas": 0, **self._known, "conditions": self.conditions}
        return known if current is None else {**known, "currentReplicas": current}


def target_of(metric: Obj) -> Target | None:
    """What a metric aims at; None for kinds of metrics that are not served."""
    part = {"Resource": "resource", "ContainerResource": "containerResource"}.get(metric.get("type", ""))
    if part is None:
        return None
    source = metric.get(part) or {}
    aim = source.get("target") or {}
    average = aim.get("averageValue")
    return Target(
        resource=source.get("name", ""),
        container=source.get("container", ""),
        percent=aim.get("averageUtilization") if average is None else None,
        average=thousandths(average) if average is not None else None,
    )


def metric_status(target: Target, proposal: Proposal) -> Obj:
    """An entry of `status.currentMetrics`."""
    current: Obj = {"averageValue": canonical(f"{proposal.average}m")}
    if proposal.percent is not None:
        current["averageUtilization"] = proposal.percent
    shown: Obj = {"name": target.resource, "current": current}
    if target.container:
        return {"type": "ContainerResource", "containerResource": {**shown, "container": target.container}}
    return {"type": "Resource", "resource": shown}


def metric_name(target: Target) -> str:
    """How events speak of it."""
    where = " container" if target.container else ""
    what = "" if target.percent is None else " utilization (percentage of request)"
    return f"{target.resource}{where} resource{what}"
