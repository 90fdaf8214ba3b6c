"""Which pods of a DaemonSet an update replaces now. Pure.

Source: Kubernetes `rollingUpdate` (`pkg/controller/daemon/update.go`). Without surge, old pods are deleted while few
enough nodes are without an available one, and `plan` creates the new ones. With surge, the new pod comes first and the
old one goes once it is available. Both rely on `plan` having left one pod per node, or one old and one new.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from skerry.engine.controllers.daemonset.plan import Plan, Situation
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.records import record


@record
class Limits:
    """`surge` and `unavailable` are numbers of nodes; `wanted` is how many should have a pod."""

    wanted: int
    surge: int
    unavailable: int


def limits_of(situation: Situation) -> Limits:
    """Percentages are of the nodes that should have a pod, rounded up; both 0 would never end and is read as one."""
    rolling = (situation.daemon_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    wanted = sum(suits.wanted for suits in situation.fits.values())
    surge, unavailable = (_number(rolling.get(name, 0), wanted) for name in ("maxSurge", "maxUnavailable"))
    if wanted and not surge and not unavailable:
        unavailable = 1
    return Limits(wanted, surge, unavailable)


def roll(situation: Situation) -> Plan:
    """The next step of the update."""
    limits = limits_of(situation)
    return _surging(situation, limits) if limits.surge else _replacing(situation, limits)


def _replacing(situation: Situation, limits: Limits) -> Plan:
    unavailable = 0
    broken: list[Obj] = []
    candidates: list[Obj] = []
    for node in _nodes(situation):
        pair = _pair(situation, situation.pods.get(node, ()))
        if pair is None or (pair.old is None) == (pair.new is None):
            unavailable += 1
        elif pair.new is not None:
            unavailable += not situation.is_available(pair.new)
        elif pair.old is not None:
            (candidates if situation.is_available(pair.old) else broken).append(pair.old)
    return Plan(delete=broken + candidates[: max(0, limits.unavailable - unavailable)])


@dataclass(slots=True)
class _Surge:
    """What `_surging` finds out node by node."""

    running: int = 0
    available: int = 0
    delete: list[Obj] = field(default_factory=list)
    leaving: list[Obj] = field(default_factory=list)
    at_once: list[str] = field(default_factory=list)
    candidates: list[str] = field(default_factory=list)


def _surging(situation: Situation, limits: Limits) -> Plan:
    found = _Surge()
    for node, pods in situation.pods.items():
        pair = _pair(situation, pods)
        if pair is None:
            found.running += 1
        else:
            _sort_in(situation, node, pair, found)
    spare = max(0, found.available - limits.wanted)
    room = max(0, limits.surge - found.running)
    return Plan(create=found.at_once + found.candidates[:room], delete=found.delete + found.leaving[:spare])


def _sort_in(situation: Situation, node: str, pair: _Pair, found: _Surge) -> None:
    counted = pair.old if pair.old is not None else pair.new
    found.available += counted is not None and situation.is_available(counted)
    if pair.old is None:
        return
    if pair.new is not None:
        if situation.is_available(pair.new):
            found.delete.append(pair.old)
        else:
            found.running += 1
        return
    available = situation.is_available(pair.old)
    if node in situation.fits and situation.fits[node].wanted:
        (found.candidates if available else found.at_once).append(node)
    else:
        (found.leaving if available else found.delete).append(pair.old)


@record
class _Pair:
    """The pods of a node that are not on their way out."""

    new: Obj | None
    old: Obj | None


def _pair(situation: Situation, pods: Iterable[Obj]) -> _Pair | None:
    """None when there is more than one of either: `plan` will see to that."""
    living = [pod for pod in pods if not is_deleting(pod)]
    new = [pod for pod in living if situation.is_updated(pod)]
    old = [pod for pod in living if not situation.is_updated(pod)]
    if len(new) > 1 or len(old) > 1:
        return None
    return _Pair(new[0] if new else None, old[0] if old else None)


def _nodes(situation: Situation) -> list[str]:
    """Nodes that have pods or should have one."""
    lacking = [node for node, suits in situation.fits.items() if suits.wanted and node not in situation.pods]
    return [*situation.pods, *lacking]


def _number(value: Any, total: int) -> int:
    if isinstance(value, str):
        return math.ceil(int(value.rstrip("%")) * total / 100)
    return int(value)
