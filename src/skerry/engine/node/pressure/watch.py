"""Whether the node is under pressure: what was measured last, and what was true within the last five minutes.

A condition that came and went holds for the transition period, so that it does not flap and pods do not come back too
early. Neighbours: `evictor` and `heartbeat` ask; `pods.manager` refuses new pods. Source: `pkg/kubelet/eviction`
(`--eviction-pressure-transition-period`, `Admit`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from skerry.engine.node.machine import Pressure
from skerry.engine.node.pressure.signals import MEMORY, conditions
from skerry.kube.clock import Clock
from skerry.kube.objects import Obj
from skerry.kube.qos import qos_class

TRANSITION = timedelta(minutes=5)
CRITICAL = 2_000_000_000
"""The priority from which on pods are part of the system."""
_TAINT = "node.kubernetes.io/memory-pressure"


class PressureWatch:
    """One node. `read` measures; `clock` times the transition."""

    def __init__(self, read: Callable[[], Pressure], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._seen: dict[str, datetime] = {}

    def look(self) -> Pressure:
        """Measure now."""
        now, pressure = self._clock.steady(), self._read()
        self._seen.update(dict.fromkeys(conditions(pressure), now))
        return pressure

    @property
    def held(self) -> frozenset[str]:
        """The conditions that hold, or held a short while ago."""
        since = self._clock.steady() - TRANSITION
        return frozenset(condition for condition, seen in self._seen.items() if seen > since)


def refusal(pod: Obj, held: frozenset[str]) -> str:
    """Why a new pod is not taken, "" when it is: best-effort pods under memory pressure unless they tolerate it, all
    but critical ones under any other."""
    if not held or is_critical(pod):
        return ""
    if held == {MEMORY} and (qos_class(pod["spec"]) != "BestEffort" or _tolerates(pod)):
        return ""
    return f"The node had condition: [{' '.join(sorted(held))}]. "


def is_critical(pod: Obj) -> bool:
    """Whether the pod is part of the system, and never evicted."""
    return (pod["spec"].get("priority") or 0) >= CRITICAL


def _tolerates(pod: Obj) -> bool:
    for toleration in pod["spec"].get("tolerations") or ():
        everything = not toleration.get("key") and toleration.get("operator") == "Exists"
        named = toleration.get("key") == _TAINT and toleration.get("operator") in ("Exists", "Equal", None)
        valued = toleration.get("operator") != "Exists" and toleration.get("value")
        if (everything or named) and not valued and toleration.get("effect") in (None, "", "NoSchedule"):
            return True
    return False
