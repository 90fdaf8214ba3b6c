"""The status of a PodDisruptionBudget from its pods and the sizes of what owns them. Pure.

Source: Kubernetes `pkg/controller/disruption/disruption.go`. `engine.api.subresources.eviction` takes disruptions from
`disruptionsAllowed` and notes the pod in `disruptedPods`; this gives them back when the pod is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from skerry.engine.controllers.pods import is_ready
from skerry.kube.clock import parse_time, time_left
from skerry.kube.conditions import conditions_of, with_condition
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.records import record

ALLOWED = "DisruptionAllowed"
DELETION_TIMEOUT = 120.0  # seconds
"""How long an eviction that was granted is believed to be on its way."""


@record
class Expected:
    """How many pods there should be, and how many of them must be healthy."""

    pods: int
    healthy: int


@record
class Disrupted:
    """Granted evictions still believed (pod name: time), names of pods that stayed, seconds until the next one ends."""

    kept: dict[str, str]
    not_deleted: list[str]
    next_check: float | None


def needs_scale(budget: Obj) -> bool:
    """Whether the expected number of pods comes from their owners' sizes, not from those that are there."""
    spec = budget.get("spec") or {}
    return spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)


def expected(budget: Obj, pods: int, scale: int) -> Expected:
    """What the budget asks for, given how many pods there are and how many their owners want."""
    spec = budget.get("spec") or {}
    if (most := spec.get("maxUnavailable")) is not None:
        return Expected(scale, max(0, scale - scaled(most, scale)))
    least = spec.get("minAvailable")
    if isinstance(least, str):
        return Expected(scale, scaled(least, scale))
    return Expected(pods, int(least or 0))


def scaled(value: int | str, total: int) -> int:
    """A count, or a percentage of `total` rounded up (`GetScaledValueFromIntOrPercent`)."""
    if isinstance(value, str):
        return -(-int(value.removesuffix("%")) * total // 100)
    return value


def still_disrupted(budget: Obj, pods: Iterable[Obj], now: datetime) -> Disrupted:
    """Which granted evictions still count: their pod is there, is not going yet, and time has not run out."""
    by_name = {name_of(pod): pod for pod in pods}
    kept: dict[str, str] = {}
    not_deleted, waits = [], []
    for name, since in ((budget.get("status") or {}).get("disruptedPods") or {}).items():
        pod = by_name.get(name)
        if pod is None or is_deleting(pod):
            continue
        left = time_left(DELETION_TIMEOUT, parse_time(since), now)
        if not left:
            not_deleted.append(name)
        else:
            kept[name] = since
            waits.append(left)
    return Disrupted(kept, not_deleted, min(waits, default=None))


def count_healthy(pods: Iterable[Obj], disrupted: Disrupted) -> int:
    """Pods that are ready, not going, and not promised to somebody who evicts them."""
    return sum(1 for pod in pods if not is_deleting(pod) and name_of(pod) not in disrupted.kept and is_ready(pod))


def budget_status(budget: Obj, wanted: Expected, pods: Sequence[Obj], disrupted: Disrupted, now: datetime) -> Obj:
    """The new status."""
    healthy = count_healthy(pods, disrupted)
    allowed = max(0, healthy - wanted.healthy) if wanted.pods > 0 else 0
    enough: Obj = {"type": ALLOWED, "status": "True", "reason": "SufficientPods", "message": ""}
    if not allowed:
        enough |= {"status": "False", "reason": "InsufficientPods"}
    status = {
        "conditions": with_condition(conditions_of(budget), _observed(budget, enough), now),
        "currentHealthy": healthy,
        "desiredHealthy": wanted.healthy,
        "disruptionsAllowed": allowed,
        "expectedPods": wanted.pods,
        "observedGeneration": budget["metadata"].get("generation", 1),
    }
    return {**status, "disruptedPods": disrupted.kept} if disrupted.kept else status


def failed_status(budget: Obj, why: str, now: datetime) -> Obj:
    """When it cannot be worked out nothing may be disrupted."""
    failed: Obj = {"type": ALLOWED, "status": "False", "reason": "SyncFailed", "message": why}
    zeros = {"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0, **(budget.get("status") or {})}
    conditions = with_condition(conditions_of(budget), _observed(budget, failed), now)
    return {**zeros, "disruptionsAllowed": 0, "conditions": conditions}


def _observed(budget: Obj, condition: Obj) -> Obj:
    return {**condition, "observedGeneration": budget["metadata"].get("generation", 1)}
