"""How many pods a measured load asks for. Pure. All amounts are thousandths (millicores, thousandths of bytes).

Source: Kubernetes `pkg/controller/podautoscaler/replica_calculator.go`. Pods without a measurement and pods that are
not ready damp the change: they count as idle when it goes up, as fully used when it goes down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from skerry.engine.controllers.pods import phase_of
from skerry.kube.clock import parse_time
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.quantities import parse_quantity

_STARTING = timedelta(minutes=5)
"""How long the CPU a pod uses may be that of its start."""
_FIRST_READY = timedelta(seconds=30)


class CannotTell(Exception):
    """No number can be worked out; the message says why."""


class Measured(NamedTuple):
    """What one pod used, over a window that ended then."""

    value: int
    at: datetime
    window: timedelta


class Tolerance(NamedTuple):
    """How far the ratio of usage and target may be from one, below and above, before anything changes."""

    down: float = 0.1
    up: float = 0.1

    def covers(self, ratio: float) -> bool:
        """Whether nothing changes."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Target(NamedTuple):
    """What is aimed at: `percent` of the request, or else an `average` amount per pod. `container` "": whole pods."""

    resource: str
    container: str = ""
    percent: int | None = None
    average: int | None = None


class Proposal(NamedTuple):
    """How many pods, and the usage this is based on."""

    replicas: int
    average: int
    percent: int | None = None


@dataclass(slots=True)
class Groups:
    """Names of pods by what their measurement is worth."""

    ready: int = 0
    unready: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)


def propose(
    target: Target,
    pods: Sequence[Obj],
    metrics: Mapping[str, Measured],
    current: int,
    moment: tuple[datetime, Tolerance],
) -> Proposal:
    """How many pods there should be, of `current`. Raises CannotTell."""
    now, tolerance = moment
    if not pods:
        raise CannotTell("no pods returned by selector while calculating replica count")
    groups = grouped(pods, metrics, target.resource, now)
    used = {name: one.value for name, one in metrics.items() if name not in groups.ignored | groups.unready}
    if not used:
        raise CannotTell("did not receive metrics for targeted pods (pods might be unready)")
    requests = _requests(pods, target) if target.percent is not None else {}
    ratio, percent, average = _ratio(target, used, requests)
    rising_with_unready = bool(groups.unready) and ratio > 1.0
    if not rising_with_unready and not groups.missing:
        wanted = current if tolerance.covers(ratio) else math.ceil(ratio * groups.ready)
        return Proposal(wanted, average, percent)
    if groups.missing:
        used |= {name: _assumed(target, requests, name) if ratio < 1.0 else 0 for name in groups.missing}
    if rising_with_unready:
        used |= dict.fromkeys(groups.unready, 0)
    damped, _, _ = _ratio(target, used, requests)
    wanted = _damped_count(ratio, damped, len(used), current, tolerance)
    return Proposal(wanted, average, percent)


def _damped_count(ratio: float, damped: float, count: int, current: int, tolerance: Tolerance) -> int:
    """With the assumptions nothing may change the other way round."""
    if tolerance.covers(damped) or (ratio < 1.0 < damped) or (damped < 1.0 < ratio):
        return current
    wanted = math.ceil(damped * count)
    if (damped < 1.0 and wanted > current) or (damped > 1.0 and wanted < current):
        return current
    return wanted


def _assumed(target: Target, requests: Mapping[str, int], name: str) -> int:
    """The usage of a pod that was not measured, when the number of pods would go down."""
    if target.percent is None:
        return target.average or 0
    return requests.get(name, 0) * max(100, target.percent) // 100


def _ratio(target: Target, used: Mapping[str, int], requests: Mapping[str, int]) -> tuple[float, int | None, int]:
    """Usage divided by the target; the percentage, if it is one; the average amount."""
    if target.percent is None:
        average = sum(used.values()) // len(used)
        return average / (target.average or 1), None, average
    known = [name for name in used if name in requests]
    requested = sum(requests[name] for name in known)
    if not requested:
        raise CannotTell("no metrics returned matched known pods")
    total = sum(used[name] for name in known)
    percent = total * 100 // requested
    return percent / target.percent, percent, total // len(known)


def grouped(pods: Iterable[Obj], metrics: Mapping[str, Measured], resource: str, now: datetime) -> Groups:
    """Sort pods by whether their measurement counts."""
    groups = Groups()
    for pod in pods:
        name, phase = name_of(pod), phase_of(pod)
        if is_deleting(pod) or phase == "Failed":
            groups.ignored.add(name)
        elif phase == "Pending":
            groups.unready.add(name)
        elif name not in metrics:
            groups.missing.add(name)
        elif resource == "cpu" and _is_starting(pod, metrics[name], now):
            groups.unready.add(name)
        else:
            groups.ready += 1
    return groups


def _is_starting(pod: Obj, measured: Measured, now: datetime) -> bool:
    ready, started = condition_of(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if ready is None or not started:
        return True
    changed = parse_time(ready.get("lastTransitionTime") or started)
    unready = ready.get("status") == "False"
    if parse_time(started) + _STARTING > now:
        return unready or measured.at < changed + measured.window
    return unready and parse_time(started) + _FIRST_READY > changed


def _requests(pods: Iterable[Obj], target: Target) -> dict[str, int]:
    """What each pod asks for, initial containers that go on included. Raises CannotTell."""
    found = {}
    for pod in pods:
        spec = pod["spec"]
        lasting = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
        total = 0
        for container in (*spec["containers"], *lasting):
            if target.container not in ("", container["name"]):
                continue
            request = ((container.get("resources") or {}).get("requests") or {}).get(target.resource)
            if request is None:
                what = f"missing request for {target.resource} in container {container['name']} of Pod {name_of(pod)}"
                raise CannotTell(what)
            total += thousandths(request)
        found[name_of(pod)] = total
    return found


def measurements(items: Iterable[Obj], target: Target) -> dict[str, Measured]:
    """What `PodMetrics` say; pods that lack a container's figure are left out. Raises CannotTell."""
    found = {}
    for item in items:
        containers = [one for one in item.get("containers") or () if target.container in ("", one["name"])]
        values = [(one.get("usage") or {}).get(target.resource) for one in containers]
        if values and None not in values:
            total = sum(thousandths(str(value)) for value in values)
            window = timedelta(seconds=_seconds(str(item.get("window") or "0s")))
            found[name_of(item)] = Measured(total, parse_time(item["timestamp"]), window)
    if not found:
        raise CannotTell(
            f"unable to get metrics for resource {target.resource}: no metrics returned from resource metrics API"
        )
    return found


def thousandths(quantity: str | int | float) -> int:
    """A quantity in thousandths, rounded up (`MilliValue`)."""
    return math.ceil(parse_quantity(quantity) * 1000)


def _seconds(window: str) -> float:
    """A Go duration of plain hours, minutes and seconds ("1m30s", "15.5s")."""
    total, number = 0.0, ""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    for character in window:
        if character in units:
            total += float(number or 0) * units[character]
            number = ""
        else:
            number += character
    return total
