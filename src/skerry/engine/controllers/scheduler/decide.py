"""Where a pod goes, or why nowhere: pure, from the pod and the picture of the nodes.

Neighbours: `filters` and `neighbours` say which nodes are impossible, `scores` and `preferences` which is best,
`ranking` remembers answers, `preemption` looks what could be done about a refusal. The message is worded as
kube-scheduler's `FitError`, because people and tools search for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import add

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.filters import Objection, objection
from skerry.engine.controllers.scheduler.neighbours import NeighbourRules
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.preferences import preferences
from skerry.engine.controllers.scheduler.ranking import Ranking, Rankings, scores_of
from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.engine.controllers.scheduler.unsupported import unsupported_feature
from skerry.kube.records import record

NO_NODES = "no nodes available to schedule pods"
ELSEWHERE = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
NodeRule = Callable[[NodeState], Objection | None]
"""An objection that comes from outside, such as where a volume is."""
_ALWAYS_COMPARED = 100
MoreRules = tuple[NeighbourRules | None, NodeRule | None]


@record
class Placement:
    """The pod goes to this node."""

    node: str


@record
class Unschedulable:
    """The pod stays Pending; `message` says why for every node, `resolvable` names those where others could make room
    (None when preemption is out of the question)."""

    message: str
    resolvable: tuple[str, ...] | None = ()


@dataclass(slots=True)
class _Survey:
    """Nodes asked one by one."""

    possible: list[NodeState] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    resolvable: list[str] = field(default_factory=list)

    def add(self, state: NodeState, found: Objection | None) -> None:
        if found is None:
            self.possible.append(state)
            return
        self.reasons.update(found.reasons)
        if found.resolvable:
            self.resolvable.append(state.name)


def decide(facts: PodFacts, rankings: Rankings, rule: NodeRule | None = None) -> Placement | Unschedulable:
    """Place one pod. `rule`: what else must hold of a node."""
    cluster = rankings.cluster
    if not len(cluster):
        return Unschedulable(NO_NODES, None)
    refused = unsupported_feature(facts.pod)
    if refused:
        return Unschedulable(f"0/{len(cluster)} nodes are available: {refused}.", None)
    neighbours = rankings.neighbour_rules(facts)
    nominated = cluster.state(cluster.nomination(facts.uid))
    if nominated is not None and objection_to(facts, nominated, (neighbours, rule)) is None:
        return Placement(nominated.name)
    if facts.template.names is not None:
        return _choose_of_few(facts, facts.template.names, cluster, (neighbours, rule))
    ranking = rankings.of(facts.template)
    if neighbours is None and rule is None:
        return _choose_by_rank(ranking, cluster)
    if not _has_preferences(facts, cluster):
        best = _first_allowed(ranking, cluster, (neighbours, rule))
        if best is not None:
            return Placement(best)
    return _choose_in_company(facts, ranking, cluster, (neighbours, rule))


def objection_to(facts: PodFacts, state: NodeState, more: MoreRules) -> Objection | None:
    """The first reason against one node."""
    return objection(facts.template, state, facts.uid) or _objection_by(more, state)


def _objection_by(more: MoreRules, state: NodeState) -> Objection | None:
    neighbours, rule = more
    found = rule(state) if rule is not None else None
    return neighbours.objection(state) if found is None and neighbours is not None else found


def fit_message(reasons: Counter[str], total: int) -> str:
    """`0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.`"""
    listed = sorted(f"{count} {reason}" for reason, count in reasons.items() if count)
    return f"0/{total} nodes are available: {', '.join(listed)}."


def _choose_by_rank(ranking: Ranking, cluster: Cluster) -> Placement | Unschedulable:
    best = ranking.best()
    if best is not None:
        return Placement(best)
    return Unschedulable(fit_message(ranking.reasons, len(cluster)), tuple(ranking.resolvable()))


def _choose_of_few(
    facts: PodFacts, names: Iterable[str], cluster: Cluster, more: MoreRules
) -> Placement | Unschedulable:
    """For a pod that names its nodes, as those of a DaemonSet do: only these are looked at."""
    states = [state for name in names if (state := cluster.state(name)) is not None]
    survey = _Survey()
    for state in states:
        survey.add(state, objection_to(facts, state, more))
    if survey.possible:
        return Placement(_best(survey.possible, scores_of(facts.template, survey.possible)))
    if len(states) < len(cluster):
        survey.reasons[ELSEWHERE] += len(cluster) - len(states)
    return Unschedulable(fit_message(survey.reasons, len(cluster)), tuple(survey.resolvable))


def _has_preferences(facts: PodFacts, cluster: Cluster) -> bool:
    """Whether the company on a node makes it better or worse."""
    template = facts.template
    if template.wishes or template.soft_spread:
        return True
    return any(attitude.weight for attitude, _ in cluster.population.attitudes_to(facts))


def _first_allowed(ranking: Ranking, cluster: Cluster, more: MoreRules) -> str | None:
    """The best node that other rules allow, when these only allow or forbid."""
    names = ranking.in_order()
    try:
        for name in names:
            state = cluster.state(name)
            if state is not None and _objection_by(more, state) is None:
                return name
    finally:
        names.close()
    return None


def _enough(nodes: int) -> int:
    """How many possible nodes are compared (`percentageOfNodesToScore`, adaptive)."""
    if nodes < _ALWAYS_COMPARED:
        return nodes
    return max(_ALWAYS_COMPARED, nodes * max(5, 50 - nodes // 125) // 100)


def _choose_in_company(
    facts: PodFacts, ranking: Ranking, cluster: Cluster, more: MoreRules
) -> Placement | Unschedulable:
    """For a pod that rules between pods bear on: nodes that are possible by themselves are asked about neighbours."""
    survey = _Survey()
    enough = _enough(len(cluster))
    for name, entry in ranking.rotated():
        state = cluster.state(name)
        if state is not None:
            survey.add(state, entry.objection or _objection_by(more, state))
            if len(survey.possible) == enough:
                break
    if not survey.possible:
        return Unschedulable(fit_message(survey.reasons, len(cluster)), tuple(survey.resolvable))
    extra = preferences(facts, cluster, survey.possible)
    alone = (ranking.total(ranking.entries[state.name]) for state in survey.possible)
    return Placement(_best(survey.possible, map(add, alone, extra)))


def _best(possible: Iterable[NodeState], scores: Iterable[int]) -> str:
    """The name of the node with the highest score; of equal ones the one with fewer pods."""
    ranked = ((score, -len(state.pods), state.name) for state, score in zip(possible, scores, strict=True))
    return max(ranked)[2]
