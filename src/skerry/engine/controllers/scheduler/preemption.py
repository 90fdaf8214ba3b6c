"""Which pods would have to go so that a more important one fits, and where that costs least. Pure.

Source: Kubernetes' plug-in `defaultpreemption` and `framework/preemption`. On each node that others' leaving could
help, all less important pods are thought away; if the pod then fits, as many as possible are put back, the most
important first, those whose PodDisruptionBudget would be violated before all others. `controller` acts on the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cmp_to_key

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.decide import (
    MoreRules,
    NodeRule,
    Unschedulable,
    fit_message,
    objection_to,
)
from skerry.engine.controllers.scheduler.neighbours import NeighbourRules
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.ranking import Rankings
from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.selectors import selector_of

NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
REASON = "PreemptionByScheduler"
_LEAST_CANDIDATES, _CANDIDATES_SHARE = 100, 0.1
_OFFSET = 2**31  # added to priorities, so that a sum of few negative ones is not below one of many


@record
class Preemption:
    """The pod is to have this node when the victims, the most important first, are gone."""

    node: str
    victims: tuple[PodFacts, ...]
    violations: int
    """How many of them a PodDisruptionBudget would have kept."""


@record
class NoPreemption:
    """`message` is added to that of the refusal. `hopeless`: a nomination the pod has is to be taken back."""

    message: str
    hopeless: bool


def preempt(
    facts: PodFacts, rankings: Rankings, refusal: Unschedulable, budgets: Sequence[Obj], rule: NodeRule | None = None
) -> Preemption | NoPreemption:
    """What to do about a refusal of `decide`."""
    cluster = rankings.cluster
    more: MoreRules = (rankings.neighbour_rules(facts), rule)
    why_not = _not_eligible(facts, cluster, more)
    if why_not:
        return NoPreemption(f"preemption: {why_not}", hopeless=False)
    candidates: list[Preemption] = []
    reasons: Counter[str] = Counter()
    names = refusal.resolvable or ()
    if names and min(cluster.priorities, default=0) >= facts.priority:
        reasons[NO_VICTIMS] = len(names)  # there is nobody less important anywhere
        names = ()
    enough = max(_LEAST_CANDIDATES, int(len(names) * _CANDIDATES_SHARE))
    for name in names:
        found = _on_node(facts, cluster, name, budgets, more)
        if isinstance(found, Preemption):
            candidates.append(found)
        else:
            reasons.update(found)
        if len(candidates) >= enough:
            break
    if candidates:
        return min(candidates, key=_cost)
    reasons[NOT_HELPFUL] += len(cluster) - len(refusal.resolvable or ())
    return NoPreemption(f"preemption: {fit_message(reasons, len(cluster))}", hopeless=True)


def _not_eligible(facts: PodFacts, cluster: Cluster, more: MoreRules) -> str:
    """The reason why the pod may not make others go, or ""."""
    if facts.pod["spec"].get("preemptionPolicy") == "Never":
        return "not eligible due to preemptionPolicy=Never."
    state = cluster.state(cluster.nomination(facts.uid))
    if state is None:
        return ""
    found = objection_to(facts, state, more)
    if found is not None and not found.resolvable:
        return ""  # waiting there has become useless
    if any(one.priority < facts.priority and _is_preempted(one) for one in state.pods.values()):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def _is_preempted(facts: PodFacts) -> bool:
    target = condition_of(facts.pod, "DisruptionTarget") or {}
    return facts.is_deleting and target.get("status") == "True" and target.get("reason") == REASON


def _on_node(
    facts: PodFacts, cluster: Cluster, name: str, budgets: Sequence[Obj], more: MoreRules
) -> Preemption | tuple[str, ...]:
    """The fewest victims on one node, or the reasons why even without all of them the pod does not fit."""
    state = cluster.state(name)
    lower = [one for one in state.pods.values() if one.priority < facts.priority] if state is not None else []
    if state is None or not lower:
        return (NO_VICTIMS,)
    trial = _Trial(facts, state.copy(), more)
    try:
        for one in lower:
            trial.take(one)
        if found := objection_to(facts, trial.state, more):
            return found.reasons
        lower.sort(key=_importance)
        violating, others = split_by_budgets(lower, budgets)
        kept_out = [one for one in violating if not trial.spare(one)]
        victims = [*kept_out, *(one for one in others if not trial.spare(one))]
    finally:
        trial.undo()
    if not victims:
        return (NO_VICTIMS,)
    return Preemption(name, tuple(sorted(victims, key=_importance)), len(kept_out))


class _Trial:
    """One node with pods thought away; what is counted between nodes is shared, and put back by `undo`."""

    def __init__(self, facts: PodFacts, state: NodeState, more: MoreRules) -> None:
        self.state = state
        self._facts, self._more = facts, more
        self._neighbours: NeighbourRules | None = more[0]
        self._taken: dict[str, PodFacts] = {}

    def take(self, other: PodFacts) -> None:
        self.state.take_out(other.uid)
        self._taken[other.uid] = other
        if self._neighbours is not None:
            self._neighbours.shift(other, self.state, -1)

    def spare(self, other: PodFacts) -> bool:
        """Put it back, unless the pod does not fit beside it."""
        self._put(other)
        if objection_to(self._facts, self.state, self._more) is None:
            return True
        self.take(other)
        return False

    def undo(self) -> None:
        for other in list(self._taken.values()):
            self._put(other)

    def _put(self, other: PodFacts) -> None:
        self.state.put(other)
        del self._taken[other.uid]
        if self._neighbours is not None:
            self._neighbours.shift(other, self.state, 1)


def split_by_budgets(pods: Sequence[PodFacts], budgets: Sequence[Obj]) -> tuple[list[PodFacts], list[PodFacts]]:
    """Those whose leaving, one after the other, violates a budget, and the others."""
    left = [(one, int((one.get("status") or {}).get("disruptionsAllowed") or 0)) for one in budgets]
    allowed = [number for _, number in left]
    violating: list[PodFacts] = []
    others: list[PodFacts] = []
    for facts in pods:
        violates = False
        for index, (budget, _) in enumerate(left):
            if _protects(budget, facts):
                allowed[index] -= 1
                violates = violates or allowed[index] < 0
        (violating if violates else others).append(facts)
    return violating, others


def _protects(budget: Obj, facts: PodFacts) -> bool:
    """Whether it counts; a pod whose eviction was granted has been counted already."""
    selector = (budget.get("spec") or {}).get("selector")
    if namespace_of(budget) != facts.namespace or not selector or not facts.labels:
        return False
    granted = (budget.get("status") or {}).get("disruptedPods") or {}
    return name_of(facts.pod) not in granted and selector_of(selector).matches(facts.labels)


def _started(facts: PodFacts) -> str:
    """Pods that have not started count as the newest."""
    return str((facts.pod.get("status") or {}).get("startTime") or "~")


def _by_importance(first: PodFacts, second: PodFacts) -> int:
    """The most important first: by priority, then the one that has run for longer."""
    if first.priority != second.priority:
        return second.priority - first.priority
    mine, theirs = _started(first), _started(second)
    return (mine > theirs) - (mine < theirs)


_importance = cmp_to_key(_by_importance)


def _cost(candidate: Preemption) -> tuple[object, ...]:
    """Kubernetes' order of preference, the best smallest."""
    victims = candidate.victims
    highest = victims[0].priority
    earliest = min(_started(one) for one in victims if one.priority == highest)
    total = sum(one.priority + _OFFSET for one in victims)
    return (candidate.violations, highest, total, len(victims), _Latest(earliest))


@record
class _Latest:
    """Sorts later moments before earlier ones."""

    moment: str

    def __lt__(self, other: _Latest) -> bool:
        return self.moment > other.moment
