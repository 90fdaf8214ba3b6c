"""Which of several possible nodes is best: wishes of the pod first, then the emptier node.

Source of the idea: Kubernetes' NodeAffinity, TaintToleration and NodeResourcesLeastAllocated plug-ins; the weights are
ours, as on one or few nodes their exact balance does not matter.
"""

from __future__ import annotations

from skerry.engine.controllers.scheduler.cluster import NodeState, PodFacts
from skerry.engine.controllers.scheduler.node_affinity import preferred_weight
from skerry.engine.controllers.scheduler.taints import discouraging_taints


def score(facts: PodFacts, state: NodeState) -> float:
    """Higher is better."""
    spec = facts.pod["spec"]
    wishes = preferred_weight(spec, state.name, state.labels)
    return wishes - 100 * discouraging_taints(spec, state.node or {}) + 10 * _free_share(facts, state)


def _free_share(facts: PodFacts, state: NodeState) -> float:
    """The mean share of CPU, memory and pod slots that would be left, 0 to 1."""
    shares = []
    for name in ("cpu", "memory"):
        if state.allocatable[name] > 0:
            shares.append(1 - (state.used[name] + facts.requests[name]) / state.allocatable[name])
    if state.allocatable["pods"] > 0:
        shares.append(1 - (len(state.pods) + 1) / state.allocatable["pods"])
    return sum(shares) / len(shares) if shares else 0.0
