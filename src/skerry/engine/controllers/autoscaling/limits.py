"""How fast the number of pods may change: stabilisation windows, policies, bounds. Pure.

Source: Kubernetes `pkg/controller/podautoscaler/horizontal.go` (`normalizeDesiredReplicas` and, with `spec.behavior`,
`normalizeDesiredReplicasWithBehaviors`). History is kept in memory, as there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from skerry.kube.objects import Obj
from skerry.kube.records import record

_DOWN_WINDOW = 300  # seconds
_LONGEST = timedelta(hours=1)
"""Beyond any window and period that the API allows."""
Reason = tuple[str, str]
"""A condition's reason and message."""
MATCHES: Reason = ("ReadyForNewScale", "recommended size matches current size")
_HIGHER: Reason = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
_LOWER: Reason = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_WITHIN: Reason = ("DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_MANY: Reason = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW: Reason = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_TOO_FAST_UP: Reason = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
_TOO_FAST_DOWN: Reason = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
)


@dataclass(slots=True)
class History:
    """Of one autoscaler: (time, count) recommended, and (time, by how many) it went up and down."""

    recommended: list[tuple[datetime, int]] = field(default_factory=list)
    ups: list[tuple[datetime, int]] = field(default_factory=list)
    downs: list[tuple[datetime, int]] = field(default_factory=list)

    def recommend(self, count: int, now: datetime) -> None:
        """Remember a recommendation; forget those that nothing asks for any more."""
        self.recommended = [*_since(self.recommended, now - _LONGEST), (now, count)]

    def rescaled(self, before: int, after: int, now: datetime) -> None:
        """Remember a change."""
        if after > before:
            self.ups = [*_since(self.ups, now - _LONGEST), (now, after - before)]
        else:
            self.downs = [*_since(self.downs, now - _LONGEST), (now, before - after)]


@record
class Limited:
    """The count to set, why it was held back over time, and by which bound."""

    count: int
    stabilized: Reason
    bound: Reason

    @property
    def is_bounded(self) -> bool:
        """Whether a bound or a rate decided."""
        return self.bound is not _WITHIN


def limited(autoscaler: Obj, current: int, wanted: int, history: History, now: datetime) -> Limited:
    """What becomes of a wanted count; it is remembered in `history`."""
    spec = autoscaler["spec"]
    behavior = spec.get("behavior")
    least, most = int(spec.get("minReplicas") or 1), int(spec["maxReplicas"])
    if behavior is None:
        recent = _since(history.recommended, now - timedelta(seconds=_DOWN_WINDOW))
        stable = max([wanted, *(count for _, count in recent)])
        why = _HIGHER if stable != wanted else MATCHES
        fastest = max(2 * current, 4)
        count, bound = _bounded(stable, least, min(most, fastest), by_rate=most > fastest)
    else:
        stable = _stabilized(behavior, current, wanted, history.recommended, now)
        why = MATCHES if stable == wanted else _LOWER if wanted >= current else _HIGHER
        count, bound = _at_rate(behavior, current, stable, (least, most), (history, now))
    history.recommend(wanted, now)
    return Limited(count, why, bound)


def _bounded(wanted: int, least: int, most: int, *, by_rate: bool) -> tuple[int, Reason]:
    if wanted < least:
        return least, _TOO_FEW
    if wanted > most:
        return most, _TOO_FAST_UP if by_rate else _TOO_MANY
    return wanted, _WITHIN


def _stabilized(
    behavior: Obj, current: int, wanted: int, recommended: Sequence[tuple[datetime, int]], now: datetime
) -> int:
    """Up no further than the lowest, down no further than the highest recommendation of each window."""
    up_window = (behavior.get("scaleUp") or {}).get("stabilizationWindowSeconds") or 0
    down_window = (behavior.get("scaleDown") or {}).get("stabilizationWindowSeconds")
    down_window = _DOWN_WINDOW if down_window is None else down_window
    lowest = min((count for _, count in _since(recommended, now - timedelta(seconds=up_window))), default=wanted)
    highest = max((count for _, count in _since(recommended, now - timedelta(seconds=down_window))), default=wanted)
    return min(max(current, min(lowest, wanted)), max(highest, wanted))


def _at_rate(
    behavior: Obj, current: int, wanted: int, bounds: tuple[int, int], past: tuple[History, datetime]
) -> tuple[int, Reason]:
    least, most = bounds
    if wanted > current:
        fastest = max(current, _limit(behavior.get("scaleUp") or {}, current, past, up=True))
        bound = (fastest, _TOO_FAST_UP) if fastest < most else (most, _TOO_MANY)
        return bound if wanted > bound[0] else (wanted, _WITHIN)
    if wanted < current:
        fastest = min(current, _limit(behavior.get("scaleDown") or {}, current, past, up=False))
        bound = (fastest, _TOO_FAST_DOWN) if fastest > least else (least, _TOO_FEW)
        return bound if wanted < bound[0] else (wanted, _WITHIN)
    return wanted, _WITHIN


def _limit(rules: Obj, current: int, past: tuple[History, datetime], *, up: bool) -> int:
    """How far the policies allow it to go now."""
    select = rules.get("selectPolicy") or "Max"
    if select == "Disabled":
        return current
    history, now = past
    reached = []
    for policy in rules.get("policies") or ():
        since = now - timedelta(seconds=policy["periodSeconds"])
        start = current - _sum(history.ups, since) + _sum(history.downs, since)
        change = policy["value"] if policy["type"] == "Pods" else start * policy["value"] / 100
        reached.append(math.ceil(start + change) if up else int(start - change))
    if not reached:
        return current
    return max(reached) if (select == "Max") == up else min(reached)


def _since(entries: Iterable[tuple[datetime, int]], moment: datetime) -> list[tuple[datetime, int]]:
    return [entry for entry in entries if entry[0] > moment]


def _sum(entries: Iterable[tuple[datetime, int]], since: datetime) -> int:
    return sum(count for _, count in _since(entries, since))
