"""How large each ReplicaSet of a Deployment should be now: rolling update, recreation, proportional scaling.

Pure arithmetic over the wanted size, maxSurge, maxUnavailable, and what each ReplicaSet wants and has available.
Source: Kubernetes `pkg/controller/deployment` (rolling.go, recreate.go, sync.go). Sizes are by ReplicaSet name, and
only those that change. Stricter than Kubernetes in one thing: right after a ReplicaSet was shrunk its status still
counts pods that are about to go; here they neither count as available nor make room for others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from skerry.engine.controllers.deployment.annotations import DESIRED, MAXIMUM, number
from skerry.engine.controllers.deployment.template import by_age
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record

Sizes = dict[str, int]


@record
class Limits:
    """What a rollout may do: pods above the wanted number, pods short of it."""

    wanted: int
    surge: int
    unavailable: int

    @property
    def minimum(self) -> int:
        """Pods that must be available."""
        return self.wanted - self.unavailable

    @property
    def maximum(self) -> int:
        """Pods that may exist."""
        return self.wanted + self.surge


def is_rolling(deployment: Obj) -> bool:
    """Whether the strategy is RollingUpdate (the other is Recreate)."""
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def limits_of(deployment: Obj) -> Limits:
    """Percentages resolved: surge rounds up, unavailability down, and both cannot be 0."""
    spec = deployment["spec"]
    wanted = int(spec.get("replicas", 1))
    if not is_rolling(deployment):
        return Limits(wanted, 0, 0)
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    surge = math.ceil(_share(rolling.get("maxSurge", "25%"), wanted))
    unavailable = math.floor(_share(rolling.get("maxUnavailable", "25%"), wanted))
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Limits(wanted, surge, min(unavailable, wanted))


def _share(value: int | str, of: int) -> float:
    """An int-or-percent of a number; integer arithmetic first, so that 25% of 4 is exactly 1."""
    if isinstance(value, str) and value.endswith("%"):
        return int(value[:-1]) * of / 100
    return int(value)


def replicas_of(replica_set: Obj) -> int:
    """`spec.replicas`."""
    return int(replica_set["spec"].get("replicas", 1))


def available_in(replica_set: Obj) -> int:
    """`status.availableReplicas`."""
    return int((replica_set.get("status") or {}).get("availableReplicas") or 0)


def pods_of(replica_set: Obj) -> int:
    """Pods it wants or, when that is more, still has."""
    return max(replicas_of(replica_set), int((replica_set.get("status") or {}).get("replicas") or 0))


def _lasting_in(replica_set: Obj) -> int:
    """Available pods without those it is about to delete."""
    return min(available_in(replica_set), replicas_of(replica_set))


def new_size(limits: Limits, current: int, all_pods: int) -> int:
    """How large the current ReplicaSet may be, given that all together have or want `all_pods`."""
    if current >= limits.wanted:
        return limits.wanted
    room = limits.maximum - all_pods
    return current + min(room, limits.wanted - current) if room > 0 else current


def rolling_sizes(limits: Limits, current: Obj, others: Sequence[Obj]) -> Sizes:
    """The next step of a rolling update: the current one up, the others down as far as availability allows."""
    size = new_size(limits, replicas_of(current), sum(pods_of(one) for one in (current, *others)))
    sizes = {name_of(current): size} if size != replicas_of(current) else {}
    if any(replicas_of(one) for one in others):
        sizes |= _fewer_others(limits, size, _lasting_in(current), by_age(others))
    return sizes


def _fewer_others(limits: Limits, size: int, available: int, others: Sequence[Obj]) -> Sizes:
    """First pods that are not available anyway, then available ones while enough remain."""
    left = {name_of(one): replicas_of(one) for one in others}
    most = size + sum(left.values()) - limits.minimum - max(0, size - available)
    if most <= 0:
        return {}
    cleaned = 0
    for one in others:
        broken = replicas_of(one) - _lasting_in(one)
        if replicas_of(one) > 0 and broken > 0:
            fewer = min(most - cleaned, broken)
            left[name_of(one)] -= fewer
            cleaned += fewer
    spare = available + sum(_lasting_in(one) for one in others) - limits.minimum
    for one in others:
        fewer = min(left[name_of(one)], max(0, spare))
        left[name_of(one)] -= fewer
        spare -= fewer
    return {name_of(one): left[name_of(one)] for one in others if left[name_of(one)] != replicas_of(one)}


def stopped(others: Sequence[Obj]) -> Sizes:
    """All of these at 0."""
    return {name_of(one): 0 for one in others if replicas_of(one) > 0}


def has_pods(replica_set: Obj) -> bool:
    """Whether pods of it run or are still ending, as far as its controller has said."""
    status = replica_set.get("status") or {}
    behind = int(status.get("observedGeneration") or 0) < int(replica_set["metadata"].get("generation") or 0)
    return behind or bool(status.get("replicas") or status.get("terminatingReplicas"))


def is_scaling(deployment: Obj, sets: Sequence[Obj]) -> bool:
    """Whether the wanted number changed since the ReplicaSets were last sized."""
    wanted = int(deployment["spec"].get("replicas", 1))
    return any(replicas_of(one) > 0 and DESIRED in _annotations(one) and number(one, DESIRED) != wanted for one in sets)


def _annotations(obj: Obj) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def scaled_sizes(limits: Limits, rolling: bool, current: Obj | None, others: Sequence[Obj]) -> Sizes:
    """Sizes when only the wanted number changes (or the Deployment is paused): shares stay as they are."""
    everyone = [*([current] if current is not None else []), *others]
    active = [one for one in everyone if replicas_of(one) > 0]
    if len(active) <= 1:
        only = active[0] if active else current or (by_age(others)[-1] if others else None)
        return {name_of(only): limits.wanted} if only is not None and replicas_of(only) != limits.wanted else {}
    if current is not None and _is_saturated(limits, current):
        return stopped(others)
    return _proportional(limits, active) if rolling else {}


def _is_saturated(limits: Limits, current: Obj) -> bool:
    wanted = limits.wanted
    return replicas_of(current) == wanted == available_in(current) and number(current, DESIRED) == wanted


def _proportional(limits: Limits, active: Sequence[Obj]) -> Sizes:
    """Share out what is to be added or taken by size; what rounding leaves goes to the largest, as far as it can."""
    allowed = limits.maximum if limits.wanted > 0 else 0
    left = allowed - sum(replicas_of(one) for one in active)
    ordered = by_age(active)[::-1] if left > 0 else by_age(active)  # of equals, who grows: the younger
    ordered.sort(key=replicas_of, reverse=True)
    sizes = {}
    for one in ordered:
        share = _share_of(limits, one, left)
        sizes[name_of(one)] = replicas_of(one) + share
        left -= share
    for one in ordered:
        size = max(0, sizes[name_of(one)] + left)
        left -= size - sizes[name_of(one)]
        sizes[name_of(one)] = size
    return {name_of(one): sizes[name_of(one)] for one in active if sizes[name_of(one)] != replicas_of(one)}


def _share_of(limits: Limits, replica_set: Obj, left: int) -> int:
    size = replicas_of(replica_set)
    if left == 0 or size == 0:
        return 0
    if limits.wanted == 0:
        return max(-size, left)
    before = number(replica_set, MAXIMUM) or int((replica_set.get("status") or {}).get("replicas") or 0) or size
    fraction = _round_half_away(size * limits.maximum / before) - size
    return min(fraction, left) if left > 0 else max(fraction, left)


def _round_half_away(value: float) -> int:
    return math.floor(value + 0.5)
