"""Rules on a HorizontalPodAutoscaler. Source: `pkg/apis/autoscaling/validation/validation.go`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity

_SOURCES = {
    "ContainerResource": "containerResource", "External": "external", "Object": "object", "Pods": "pods",
    "Resource": "resource",
}  # fmt: skip
_TARGETS = ("Utilization", "Value", "AverageValue")
_SELECTS = ("Disabled", "Max", "Min")
_LONGEST_WINDOW, _LONGEST_PERIOD = 3600, 1800  # seconds


def check_spec(spec: Obj) -> Iterator[Cause]:
    """Bounds, target, metrics and behavior."""
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _check_reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
    for index, metric in enumerate(spec.get("metrics") or ()):
        yield from _check_metric(metric, f"spec.metrics[{index}]")
    for part in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(part)
        if rules is not None:
            yield from _check_rules(rules, f"spec.behavior.{part}")


def _check_reference(reference: Obj, field: str) -> Iterator[Cause]:
    for part in ("kind", "name"):
        value = reference.get(part)
        if not value:
            yield required(f"{field}.{part}")
        elif complaint := names.path_segment(value):
            yield invalid(f"{field}.{part}", value, complaint)


def _check_metric(metric: Obj, field: str) -> Iterator[Cause]:
    kind = metric.get("type")
    if not kind:
        yield required(f"{field}.type", "must specify a metric source type")
        return
    if kind not in _SOURCES:
        yield not_supported(f"{field}.type", kind, _SOURCES)
        return
    wanted = _SOURCES[kind]
    for source in _SOURCES.values():
        if source != wanted and metric.get(source) is not None:
            yield forbidden(f"{field}.{source}", "must populate the given metric source only")
    if metric.get(wanted) is None:
        yield required(f"{field}.{wanted}", "must populate information for the given metric source")
    elif kind in ("Resource", "ContainerResource"):
        yield from _check_resource(metric[wanted], f"{field}.{wanted}", contained=kind == "ContainerResource")
    else:
        yield from _check_target(metric[wanted].get("target") or {}, f"{field}.{wanted}.target")


def _check_resource(source: Obj, field: str, *, contained: bool) -> Iterator[Cause]:
    target = source.get("target") or {}
    if not source.get("name"):
        yield required(f"{field}.name", "must specify a resource name")
    if contained and not source.get("container"):
        yield required(f"{field}.container", "must specify a container")
    yield from _check_target(target, f"{field}.target")
    percent, average = target.get("averageUtilization"), target.get("averageValue")
    if percent is None and average is None:
        why = "must set either a target raw value or a target utilization"
        yield required(f"{field}.target.averageUtilization", why)
    if percent is not None and average is not None:
        why = "may not set both a target raw value and a target utilization"
        yield forbidden(f"{field}.target.averageValue", why)


def _check_target(target: Obj, field: str) -> Iterator[Cause]:
    kind, percent = target.get("type"), target.get("averageUtilization")
    if not kind:
        yield required(f"{field}.type", "must specify a metric target type")
    elif kind not in _TARGETS:
        yield invalid(f"{field}.type", kind, "must be either Utilization, Value, or AverageValue")
    for part in ("value", "averageValue"):
        if target.get(part) is not None and parse_quantity(target[part]) <= 0:
            yield invalid(f"{field}.{part}", target[part], "must be positive")
    if percent is not None and percent < 1:
        yield invalid(f"{field}.averageUtilization", percent, "must be greater than 0")


def _check_rules(rules: Obj, field: str) -> Iterator[Cause]:
    window, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    if window is not None and window < 0:
        yield invalid(f"{field}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > _LONGEST_WINDOW:
        yield invalid(f"{field}.stabilizationWindowSeconds", window, f"must be less than or equal to {_LONGEST_WINDOW}")
    if select is not None and select not in _SELECTS:
        yield not_supported(f"{field}.selectPolicy", select, _SELECTS)
    if rules.get("tolerance") is not None and parse_quantity(rules["tolerance"]) < 0:
        yield invalid(f"{field}.tolerance", rules["tolerance"], "must be greater or equal to zero")
    if not rules.get("policies"):
        yield required(f"{field}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies") or ()):
        yield from _check_policy(policy, f"{field}.policies[{index}]")


def _check_policy(policy: Obj, field: str) -> Iterator[Cause]:
    period = policy.get("periodSeconds") or 0
    if policy.get("type") not in ("Pods", "Percent"):
        yield not_supported(f"{field}.type", policy.get("type") or "", ("Pods", "Percent"))
    for part in ("value", "periodSeconds"):
        if (policy.get(part) or 0) <= 0:
            yield invalid(f"{field}.{part}", policy.get(part) or 0, "must be greater than zero")
    if period > _LONGEST_PERIOD:
        yield invalid(f"{field}.periodSeconds", period, f"must be less than or equal to {_LONGEST_PERIOD}")
