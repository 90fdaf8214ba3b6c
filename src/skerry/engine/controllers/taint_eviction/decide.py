"""How long a pod may stay on a node with NoExecute taints. Pure.

Source: Kubernetes `pkg/controller/tainteviction`. One thing differs: right after a start the taints that say how a node
fares (not ready, unreachable) are old news, since containers outlive the engine and the node agent needs a moment to
report; whoever calls says for how long.
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.controllers.node_lifecycle.decide import NOT_READY, UNREACHABLE
from skerry.engine.controllers.scheduler.taints import NO_EXECUTE, tolerates
from skerry.kube.objects import Obj


def evicting_taints(node: Obj) -> list[Obj]:
    """The node's NoExecute taints."""
    return [taint for taint in (node.get("spec") or {}).get("taints") or () if taint.get("effect") == NO_EXECUTE]


def may_stay(tolerations: Sequence[Obj], taints: Sequence[Obj], settling: float = 0.0) -> float | None:
    """Seconds since the taints were first seen that the pod may stay; 0 for not at all, None for ever. `settling`:
    seconds for which taints about the node's health do not count yet."""
    allowed: list[float] = []
    for taint in taints:
        matching = next((one for one in tolerations if tolerates(one, taint)), None)
        seconds = matching.get("tolerationSeconds") if matching is not None else 0
        if seconds is not None:
            is_about_health = taint.get("key") in (NOT_READY, UNREACHABLE)
            allowed.append(max(0.0, float(seconds), settling if is_about_health else 0.0))
    return min(allowed, default=None)
