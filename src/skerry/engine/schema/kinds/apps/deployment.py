"""Deployment. Source: `SetDefaults_Deployment`, `ValidateDeployment`, `ValidateDeploymentUpdate`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from skerry.engine.schema.causes import forbidden, invalid, not_supported
from skerry.engine.schema.kinds.apps.replica_set import selector_kept
from skerry.engine.schema.kinds.apps.status_rules import check_status
from skerry.engine.schema.kinds.apps.templates import check_count, check_selected_template, default_workload
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.engine.schema.strategies import SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_PERCENT = re.compile(r"[0-9]+%")
_TYPES = ("Recreate", "RollingUpdate")


class DeploymentStrategy(SpecStrategy):
    """Rolls replica sets over."""

    def default(self, obj: Obj) -> None:
        """25 % surge and unavailable, ten old revisions, ten minutes to make progress."""
        default_workload(obj)
        spec = obj["spec"]
        strategy = spec.setdefault("strategy", {})
        set_default(strategy, "type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            set_default(rolling, "maxUnavailable", "25%")
            set_default(rolling, "maxSurge", "25%")
        set_default(spec, "revisionHistoryLimit", 10)
        set_default(spec, "progressDeadlineSeconds", 600)

    def initial_status(self, obj: Obj) -> None:
        """Nothing observed yet."""
        obj["status"] = {}

    def count(self, new: Obj, old: Obj) -> None:
        """Annotations count too: they carry over to the replica sets."""
        super().count(new, old)
        same_spec = new.get("spec") == old.get("spec")
        if same_spec and new["metadata"].get("annotations") != old["metadata"].get("annotations"):
            new["metadata"]["generation"] = (old["metadata"].get("generation") or 0) + 1

    def validate(self, obj: Obj) -> list[Cause]:
        """Counts, strategy, selector and template."""
        return list(_check_spec(obj.get("spec") or {}))

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """The selector stays; counts in the status add up."""
        return selector_kept(new, old) + check_status(new, old)


def _check_spec(spec: Obj) -> Iterator[Cause]:
    for name in ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        yield from check_count(spec, name)
    yield from check_selected_template(spec, "deployment", "ReplicaSet")
    yield from _check_strategy(spec.get("strategy") or {}, "spec.strategy")
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None and deadline <= ready:
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _check_strategy(strategy: Obj, field: str) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in _TYPES:
        yield not_supported(field, strategy, _TYPES)
    elif kind == "Recreate" and rolling is not None:
        yield forbidden(f"{field}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif kind == "RollingUpdate":
        yield from check_rolling_update(rolling or {}, f"{field}.rollingUpdate")


def check_rolling_update(rolling: Obj, field: str) -> Iterator[Cause]:
    """Counts or percentages, at most 100 % unavailable, not both zero."""
    complaints: list[Cause] = []
    for name in ("maxUnavailable", "maxSurge"):
        complaints += check_count_or_percent(rolling.get(name, 0), f"{field}.{name}")
    yield from complaints
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    if complaints:
        return
    if is_zero(unavailable) and is_zero(surge):
        yield invalid(f"{field}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    yield from check_share(unavailable, f"{field}.maxUnavailable")


def check_count_or_percent(value: Any, field: str) -> Iterator[Cause]:
    """A number of pods, or a share of them ("25%")."""
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value) or len(value) > 10:
            why = "a valid percent string must be a numeric string followed by an ending '%' "
            yield invalid(field, value, f"{why}(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')")
    elif value < 0:
        yield invalid(field, value, NOT_NEGATIVE)


def check_share(value: Any, field: str) -> Iterator[Cause]:
    """At most all of them, where it is a legal percentage."""
    if isinstance(value, str) and _PERCENT.fullmatch(value) and int(value[:-1]) > 100:
        yield invalid(field, value, "must not be greater than 100%")


def is_zero(value: Any) -> bool:
    """Whether a legal number or percentage is none."""
    return value == 0 or (isinstance(value, str) and int(value[:-1]) == 0)
