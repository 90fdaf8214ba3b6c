"""The status of a DaemonSet. Source: Kubernetes `updateDaemonSetStatus` (`pkg/controller/daemon`). Conditions are
nobody's here, and kept."""

from __future__ import annotations

from skerry.engine.controllers.daemonset.plan import Situation, oldest_first
from skerry.engine.controllers.pods import is_ready, seconds_until_available
from skerry.kube.conditions import conditions_of
from skerry.kube.objects import Obj

_ALWAYS = frozenset({"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"})


def daemon_set_status(situation: Situation, collisions: int) -> Obj:
    """The whole status; of the counts that are zero only those are present that Kubernetes always writes."""
    counts = _counts(situation)
    daemon_set = situation.daemon_set
    status: Obj = {name: count for name, count in counts.items() if count or name in _ALWAYS}
    status["observedGeneration"] = int(daemon_set["metadata"].get("generation") or 0)
    if collisions:
        status["collisionCount"] = collisions
    conditions = conditions_of(daemon_set)
    return {**status, "conditions": conditions} if conditions else status


def seconds_until_next_available(situation: Situation) -> float | None:
    """When the next ready pod has been ready long enough, if any must wait."""
    minimum = int(situation.daemon_set["spec"].get("minReadySeconds") or 0)
    if not minimum:
        return None
    pods = (pod for on_node in situation.pods.values() for pod in on_node)
    waits = (seconds_until_available(pod, minimum, situation.now) for pod in pods)
    return min((wait for wait in waits if wait), default=None)


def _counts(situation: Situation) -> dict[str, int]:
    wanted = [node for node, suits in situation.fits.items() if suits.wanted]
    unwanted = [node for node, suits in situation.fits.items() if not suits.wanted]
    counted = [oldest_first(situation.pods[node])[0] for node in wanted if situation.pods.get(node)]
    available = sum(situation.is_available(pod) for pod in counted)
    return {
        "currentNumberScheduled": len(counted),
        "numberMisscheduled": sum(bool(situation.pods.get(node)) for node in unwanted),
        "desiredNumberScheduled": len(wanted),
        "numberReady": sum(is_ready(pod) for pod in counted),
        "updatedNumberScheduled": sum(situation.is_updated(pod) for pod in counted),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
    }
