"""Where a pod goes, or why nowhere: pure, from the pod and the picture of the nodes.

Neighbours: `filters` and `neighbours` say which nodes are impossible, `scores` which is best. The message is worded as
kube-scheduler's `FitError`, because people and tools search for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skerry.engine.controllers.scheduler.cluster import NodeState, PodFacts
from skerry.engine.controllers.scheduler.filters import FILTERS
from skerry.engine.controllers.scheduler.neighbours import NeighbourRules
from skerry.engine.controllers.scheduler.scores import score
from skerry.engine.controllers.scheduler.unsupported import unsupported_feature


@dataclass(frozen=True, slots=True)
class Placement:
    """The pod goes to this node."""

    node: str


@dataclass(frozen=True, slots=True)
class Unschedulable:
    """The pod stays Pending; `message` says why for every node."""

    message: str


def decide(facts: PodFacts, nodes: Sequence[NodeState]) -> Placement | Unschedulable:
    """Place one pod."""
    if not nodes:
        return Unschedulable("no nodes available to schedule pods")
    refused = unsupported_feature(facts.pod)
    if refused:
        return Unschedulable(f"0/{len(nodes)} nodes are available: {refused}.")
    rules = NeighbourRules(facts, nodes)
    objections = {state.name: _objections(facts, state, rules) for state in nodes}
    possible = [state for state in nodes if not objections[state.name]]
    if not possible:
        return Unschedulable(fit_message(objections.values(), len(nodes)))
    if len(possible) == 1:
        return Placement(possible[0].name)
    best = max(possible, key=lambda state: (score(facts, state), state.name))
    return Placement(best.name)


def fit_message(objections: Iterable[Sequence[str]], total: int) -> str:
    """`0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.`"""
    counts = Counter(reason for reasons in objections for reason in reasons)
    listed = sorted(f"{count} {reason}" for reason, count in counts.items())
    return f"0/{total} nodes are available: {', '.join(listed)}."


def _objections(facts: PodFacts, state: NodeState, rules: NeighbourRules) -> Sequence[str]:
    for rule in FILTERS:
        reasons = rule(facts, state)
        if reasons:
            return reasons
    return rules.objections(state)
