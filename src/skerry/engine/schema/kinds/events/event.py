"""Event of events.k8s.io/v1, which is stricter than the core group's. Source: `pkg/apis/core/validation/events.go`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import immutable, invalid, required
from skerry.engine.schema.contract import Strategy
from skerry.engine.schema.kinds.core.event import EventStrategy
from skerry.engine.schema.kinds.events.mapping import to_core
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_LONGEST, _LONGEST_NOTE = 128, 1024
_FIXED = (
    ("involvedObject", "regarding"), ("reason", "reason"), ("message", "note"), ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"), ("type", "type"), ("eventTime", "eventTime"), ("action", "action"),
    ("related", "related"), ("reportingController", "reportingController"), ("reportingInstance", "reportingInstance"),
)  # fmt: skip
"""Field paths in complaints (the internal version's) and fields that no update may change."""


class NewEventStrategy(Strategy):
    """Says who reports what, when, and why; only its series may change afterwards."""

    def validate(self, obj: Obj) -> list[Cause]:
        """All of it, at creation."""
        return EventStrategy().validate(to_core({**obj})) + list(_check(obj))

    def validate_change(self, new: Obj, old: Obj) -> list[Cause]:
        """Nothing changes but the series. Events made through the core group are not held to this group's rules."""
        changed = [immutable(path, new.get(name)) for path, name in _FIXED if new.get(name) != old.get(name)]
        return [*changed, *_check_series(new)] if new.get("eventTime") else changed


def _check(obj: Obj) -> Iterator[Cause]:
    if not obj.get("eventTime"):
        yield required("eventTime")
    yield from _check_series(obj)
    controller = obj.get("reportingController") or ""
    if not controller:
        yield required("reportingController")
    elif complaint := names.qualified_name(controller):
        yield invalid("reportingController", controller, complaint)
    for field in ("reportingInstance", "action", "reason"):
        value = obj.get(field) or ""
        if not value:
            yield required(field)
        elif len(value) > _LONGEST:
            yield invalid(field, "", f"can have at most {_LONGEST} characters")
    if len(obj.get("note") or "") > _LONGEST_NOTE:
        yield invalid("message", "", f"can have at most {_LONGEST_NOTE} characters")
    if obj.get("type") not in ("Normal", "Warning"):
        yield invalid("type", "", f"has invalid value: {obj.get('type') or ''}")
    for field, zero in (
        ("firstTimestamp", None), ("lastTimestamp", None), ("count", 0), ("source", {}),
    ):  # fmt: skip
        given = obj.get(f"deprecated{field[0].upper()}{field[1:]}")
        if given and given != zero:
            yield invalid(field, "", "needs to be unset")


def _check_series(obj: Obj) -> Iterator[Cause]:
    series = obj.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        yield invalid("series.count", "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield required("series.lastObservedTime")
