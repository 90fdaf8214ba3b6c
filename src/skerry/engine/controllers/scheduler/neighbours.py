"""Rules between pods: required pod affinity and anti-affinity, and topology spread with `DoNotSchedule`.

Source: Kubernetes plug-ins `interpodaffinity` and `podtopologyspread`. A rule speaks of domains: nodes with the same
value of a label (`topologyKey`). What a rule needs to know of the cluster is counted once per pod to place, from the
groups of `population`, and not at all for pods no rule bears on. `shift` counts one pod more or less, which is how
preemption tries what would be without some pods, and how counts are kept current for the next pod of the template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.filters import Objection
from skerry.engine.controllers.scheduler.node_affinity import matches_required
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.population import attitudes_of
from skerry.engine.controllers.scheduler.taints import tolerated
from skerry.engine.controllers.scheduler.templates import PodFacts, Template
from skerry.engine.controllers.scheduler.terms import Spread

AFFINITY = Objection(("node(s) didn't match pod affinity rules",), False)
ANTI_AFFINITY = Objection(("node(s) didn't match pod anti-affinity rules",), True)
EXISTING_ANTI_AFFINITY = Objection(("node(s) didn't satisfy existing pods anti-affinity rules",), True)
SPREAD = Objection(("node(s) didn't match pod topology spread constraints",), True)
SPREAD_NO_LABEL = Objection(("node(s) didn't match pod topology spread constraints (missing required label)",), False)

Domain = tuple[str, str]


@dataclass(slots=True)
class _SpreadCounts:
    """Pods per value of the key, for one constraint."""

    rule: Spread
    counts: Counter[str]
    eligible: frozenset[str]
    self_match: int
    least: int | None = None

    def add(self, state: NodeState, number: int) -> None:
        if state.name in self.eligible:
            self.counts[state.labels[self.rule.key]] += number
            self.least = None

    def objection(self, state: NodeState) -> Objection | None:
        value = state.labels.get(self.rule.key)
        if value is None:
            return SPREAD_NO_LABEL
        if self.least is None:
            few = len(self.counts) < self.rule.min_domains or not self.counts
            self.least = 0 if few else min(self.counts.values())
        skew = self.counts.get(value, 0) + self.self_match - self.least
        return SPREAD if skew > self.rule.skew else None


class NeighbourRules:
    """The rules that bear on one pod, ready to be asked about nodes."""

    def __init__(self, facts: PodFacts, cluster: Cluster) -> None:
        self._facts, self._cluster = facts, cluster
        self._node_revision, self._sequence = cluster.node_revision, cluster.population.sequence
        self._namespaces = len(cluster.population.namespaces)
        template = facts.template
        self._near: list[Counter[str]] = [Counter() for _ in template.affinity]
        self._avoided: Counter[Domain] = Counter()
        self._closed: Counter[Domain] = Counter()
        self._spread = [_spread_counts(rule, facts, cluster) for rule in template.hard_spread]
        if template.affinity or template.anti_affinity or template.hard_spread:
            for group in cluster.population.groups():
                self._count(group.namespace, group.labels, group.nodes, terminating=group.terminating)
        for attitude, nodes in cluster.population.attitudes_to(facts):
            if attitude.stance == "anti":
                self._close(attitude.term.key, nodes)

    @property
    def facts(self) -> PodFacts:
        """The pod, or one of the same template."""
        return self._facts

    def catch_up(self) -> bool:
        """Count what has moved since the last time; False when these counts are of no use any more."""
        cluster, population = self._cluster, self._cluster.population
        moves = population.moves_since(self._sequence)
        if (
            moves is None
            or self._node_revision != cluster.node_revision
            or self._namespaces != len(population.namespaces)
        ):
            return False
        self._sequence = population.sequence
        for move in moves:
            state = cluster.state(move.node)
            if state is not None:
                self.shift(move.facts, state, move.number)
        return True

    def shift(self, other: PodFacts, state: NodeState, number: int) -> None:
        """Count another pod once more, or with -1 once less, on a node."""
        nodes = {state.name: number}
        self._count(other.namespace, other.labels, nodes, terminating=other.is_deleting)
        mine, population = self._facts, self._cluster.population
        of_mine = population.labels_of_namespace(mine.namespace)
        for attitude in attitudes_of(other) if other.template.is_choosy else ():
            if attitude.stance == "anti" and attitude.term.selects(mine.namespace, mine.labels, of_mine):
                self._close(attitude.term.key, nodes)

    def objection(self, state: NodeState) -> Objection | None:
        """Why the pod cannot be this node's neighbour, or None."""
        for rule in self._spread:
            found = rule.objection(state)
            if found is not None:
                return found
        template = self._facts.template
        if template.affinity and not self._affinity_holds(state):
            return AFFINITY
        labels = state.labels
        if self._avoided and any(
            self._avoided.get((term.key, labels.get(term.key, "")), 0) > 0 for term in template.anti_affinity
        ):
            return ANTI_AFFINITY
        if self._closed and any(self._closed.get(domain, 0) > 0 for domain in labels.items()):
            return EXISTING_ANTI_AFFINITY
        return None

    def _count(self, namespace: str, labels: Mapping[str, str], nodes: Mapping[str, int], *, terminating: bool) -> None:
        """Take pods that look alike into account."""
        template, of_namespace = self._facts.template, self._cluster.population.labels_of_namespace(namespace)
        if template.affinity and all(term.selects(namespace, labels, of_namespace) for term in template.affinity):
            for term, counts in zip(template.affinity, self._near, strict=True):
                for domain, number in self._domains(term.key, nodes):
                    counts[domain[1]] += number
        for term in template.anti_affinity:
            if term.selects(namespace, labels, of_namespace):
                for domain, number in self._domains(term.key, nodes):
                    self._avoided[domain] += number
        if namespace == self._facts.namespace and not terminating:
            for rule in self._spread:
                if rule.rule.selects(labels):
                    self._add_all(rule, nodes)

    def _add_all(self, rule: _SpreadCounts, nodes: Mapping[str, int]) -> None:
        for name, number in nodes.items():
            state = self._cluster.state(name)
            if state is not None:
                rule.add(state, number)

    def _close(self, key: str, nodes: Mapping[str, int]) -> None:
        for domain, number in self._domains(key, nodes):
            self._closed[domain] += number

    def _domains(self, key: str, nodes: Mapping[str, int]) -> Sequence[tuple[Domain, int]]:
        found = []
        for name, number in nodes.items():
            state = self._cluster.state(name)
            if state is not None and key in state.labels:
                found.append(((key, state.labels[key]), number))
        return found

    def _affinity_holds(self, state: NodeState) -> bool:
        terms = self._facts.template.affinity
        if any(term.key not in state.labels for term in terms):
            return False
        wanted = zip(terms, self._near, strict=True)
        return all(counts.get(state.labels[term.key], 0) > 0 for term, counts in wanted) or self._starts_group()

    def _starts_group(self) -> bool:
        """A pod whose affinity speaks of itself may start a group when nobody is there yet."""
        facts = self._facts
        if any(number > 0 for counts in self._near for number in counts.values()):
            return False
        own = self._cluster.population.labels_of_namespace(facts.namespace)
        return all(term.selects(facts.namespace, facts.labels, own) for term in facts.template.affinity)


def _spread_counts(rule: Spread, facts: PodFacts, cluster: Cluster) -> _SpreadCounts:
    keys = [other.key for other in facts.template.hard_spread]
    eligible = [
        state
        for state in cluster.nodes()
        if all(key in state.labels for key in keys) and is_eligible(rule, facts.template, state)
    ]
    counts: Counter[str] = Counter({state.labels[rule.key]: 0 for state in eligible})
    return _SpreadCounts(rule, counts, frozenset(state.name for state in eligible), int(rule.selects(facts.labels)))


def is_eligible(rule: Spread, template: Template, state: NodeState) -> bool:
    """Nodes that count: by default those the pod's node affinity allows, whatever their taints."""
    if rule.heeds_affinity and not matches_required(template.spec, state.name, state.labels):
        return False
    tolerations = template.spec.get("tolerations") or ()
    return not rule.heeds_taints or all(tolerated(tolerations, taint) for taint in state.hard_taints)
