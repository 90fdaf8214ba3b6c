"""LimitRange. Source: `SetDefaults_LimitRangeItem`, `ValidateLimitRange`."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, required
from skerry.engine.schema.contract import Strategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.quantities import canonical, parse_quantity

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_AMOUNTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_OVERCOMMITTED = ("cpu", "memory", "ephemeral-storage", "storage")
_ORDER = (
    ("min", "max", "min", "min value {low} is greater than max value {high}"),
    ("min", "defaultRequest", "defaultRequest", "min value {low} is greater than default request value {high}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {low} is greater than max value {high}"),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "default request value {low} is greater than default limit value {high}",
    ),
    ("min", "default", "default", "min value {low} is greater than default value {high}"),
    ("default", "max", "default", "default value {low} is greater than max value {high}"),
)
"""What must not be greater than what, the field that is to blame, and how that is said."""
_BLAMED_VALUE = {("min", "default"): "min", ("default", "max"): "max"}


class LimitRangeStrategy(Strategy):
    """Bounds and defaults for the containers, pods and claims of a namespace."""

    def default(self, obj: Obj) -> None:
        """For containers: the default limit is the maximum, the default request the default limit or the minimum."""
        for limit in (obj.get("spec") or {}).get("limits") or ():
            if limit.get("type") == "Container":
                most, least = limit.get("max") or {}, limit.get("min") or {}
                limit["default"] = {**most, **(limit.get("default") or {})}
                limit["defaultRequest"] = {**least, **limit["default"], **(limit.get("defaultRequest") or {})}

    def validate(self, obj: Obj) -> list[Cause]:
        """One item per type; bounds in order."""
        causes: list[Cause] = []
        seen: set[str] = set()
        for index, limit in enumerate((obj.get("spec") or {}).get("limits") or ()):
            field, kind = f"spec.limits[{index}]", limit.get("type", "")
            causes += _check_type(kind, f"{field}.type")
            if kind in seen:
                causes.append(duplicate(f"{field}.type", kind))
            seen.add(kind)
            causes += _check_item(limit, kind, field)
        return causes


def _check_type(kind: str, field: str) -> Iterator[Cause]:
    if complaint := names.qualified_name(kind):
        yield invalid(field, kind, complaint)
    elif "/" not in kind and kind not in _TYPES:
        yield invalid(field, kind, "must be a standard limit type or fully qualified")


def _check_item(limit: Obj, kind: str, field: str) -> Iterator[Cause]:
    for part in _AMOUNTS:
        if kind == "Pod" and part in ("default", "defaultRequest"):
            if limit.get(part):
                yield forbidden(f"{field}.{part}", "may not be specified when `type` is 'Pod'")
            continue
        for name in limit.get(part) or {}:
            yield from _check_name(name, kind, f"{field}.{part}[{name}]")
    if kind == "PersistentVolumeClaim" and not any("storage" in (limit.get(part) or {}) for part in ("min", "max")):
        why = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{field}.limits", why)
    for name in sorted({name for part in _AMOUNTS for name in limit.get(part) or {}}):
        yield from _check_order(limit, name, field)
        yield from _check_ratio(limit, name, field)


def _check_name(name: str, kind: str, field: str) -> Iterator[Cause]:
    standard = (*_OVERCOMMITTED[:3],) if kind in ("Pod", "Container") else ("storage", *_OVERCOMMITTED)
    if complaint := names.qualified_name(name):
        yield invalid(field, name, complaint)
    elif "/" not in name and name not in standard and not name.startswith("hugepages-"):
        yield invalid(field, name, "must be a standard limit resource type or fully qualified")


def _check_order(limit: Obj, name: str, field: str) -> Iterator[Cause]:
    def given(part: str) -> Any:
        return (limit.get(part) or {}).get(name)

    for low, high, blamed, text in _ORDER:
        if given(low) is None or given(high) is None or parse_quantity(given(low)) <= parse_quantity(given(high)):
            continue
        said = text.format(low=canonical(given(low)), high=canonical(given(high)))
        yield invalid(f"{field}.{blamed}[{name}]", given(_BLAMED_VALUE.get((low, high), blamed)), said)
    wanted, most = given("defaultRequest"), given("default")
    if None not in (wanted, most) and not _overcommits(name) and parse_quantity(wanted) != parse_quantity(most):
        said = f"default value {most} must equal to defaultRequest value {wanted} in {name}"
        yield invalid(f"{field}.defaultRequest[{name}]", wanted, said)


def _overcommits(name: str) -> bool:
    return "kubernetes.io/" in name or ("/" not in name and not name.startswith("hugepages-"))


def _check_ratio(limit: Obj, name: str, field: str) -> Iterator[Cause]:
    given = (limit.get("maxLimitRequestRatio") or {}).get(name)
    if given is None:
        return
    ratio, place = parse_quantity(given), f"{field}.maxLimitRequestRatio[{name}]"
    if ratio < 1:
        yield invalid(place, given, f"ratio {given} is less than 1")
    low, high = (parse_quantity((limit.get(part) or {}).get(name) or "0") for part in ("min", "max"))
    if low > Decimal(0) and high > Decimal(0) and ratio > high / low:
        yield invalid(place, given, f"ratio {given} is greater than max/min = {float(high / low):f}")
