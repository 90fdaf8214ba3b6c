"""Metrics as autoscaling/v1's annotations carry them (the form of v2beta1) and as v2 has them, each way."""

from __future__ import annotations

from typing import Any

from skerry.kube.objects import Obj

_KINDS = {"Object": "object", "Pods": "pods", "Resource": "resource", "ContainerResource": "containerResource",
          "External": "external"}  # fmt: skip
_NAMED = ("pods", "external", "object")


def old_metric(metric: Obj) -> Obj:
    """A target of v2 in the old form."""
    part = _part(metric)
    body = metric.get(part) or {}
    target = body.get("target") or {}
    shown = _old_name(part, body)
    if part == "object":
        shown["targetValue"] = target.get("value", "0")
        if "averageValue" in target:
            shown["averageValue"] = target["averageValue"]
    else:
        shown |= _present(
            targetAverageUtilization=target.get("averageUtilization"),
            targetAverageValue=target.get("averageValue"),
            targetValue=target.get("value") if part == "external" else None,
        )
    return {"type": metric.get("type"), part: shown}


def new_metric(metric: Obj) -> Obj:
    """A target in the old form as v2 has it."""
    part = _part(metric)
    body = metric.get(part) or {}
    average = body.get("averageValue") if part == "object" else body.get("targetAverageValue")
    percent = body.get("targetAverageUtilization")
    kind = "Utilization" if percent is not None else "AverageValue" if average is not None else "Value"
    value = None if part == "object" and average is not None else body.get("targetValue")
    target = {"type": kind, **_present(averageUtilization=percent, averageValue=average, value=value)}
    return {"type": metric.get("type"), part: {**_new_name(part, body), "target": target}}


def old_status(metric: Obj) -> Obj:
    """A measurement of v2 in the old form."""
    part = _part(metric)
    body = metric.get(part) or {}
    current = body.get("current") or {}
    shown = _old_name(part, body)
    if part in ("object", "external"):
        shown["currentValue"] = current.get("value", "0")
    average = "averageValue" if part == "object" else "currentAverageValue"
    shown |= _present(**{average: current.get("averageValue")})
    shown |= _present(currentAverageUtilization=current.get("averageUtilization"))
    return {"type": metric.get("type"), part: shown}


def new_status(metric: Obj) -> Obj:
    """A measurement in the old form as v2 has it."""
    part = _part(metric)
    body = metric.get(part) or {}
    current = _present(
        averageUtilization=body.get("currentAverageUtilization"),
        averageValue=body.get("averageValue" if part == "object" else "currentAverageValue"),
        value=body.get("currentValue"),
    )
    return {"type": metric.get("type"), part: {**_new_name(part, body), "current": current}}


def _part(metric: Obj) -> str:
    return _KINDS.get(str(metric.get("type")), "resource")


def _old_name(part: str, body: Obj) -> Obj:
    if part not in _NAMED:
        return _present(name=body.get("name"), container=body.get("container"))
    measured = body.get("metric") or {}
    selector = "metricSelector" if part == "external" else "selector"
    return _present(
        target=body.get("describedObject"), metricName=measured.get("name"), **{selector: measured.get("selector")}
    )


def _new_name(part: str, body: Obj) -> Obj:
    if part not in _NAMED:
        return _present(name=body.get("name"), container=body.get("container"))
    selector = body.get("metricSelector" if part == "external" else "selector")
    metric = _present(name=body.get("metricName"), selector=selector)
    return _present(describedObject=body.get("target"), metric=metric)


def _present(**fields: Any) -> Obj:
    return {name: value for name, value in fields.items() if value is not None}
