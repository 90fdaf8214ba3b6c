"""Wishes between pods: preferred (anti-)affinity of the pod and of those there, spread with `ScheduleAnyway`.

Source: the scoring halves of Kubernetes' plug-ins `interpodaffinity` and `podtopologyspread`. Both compare the possible
nodes with each other: the best gets 100, the worst 0, and each part counts twice.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.neighbours import Domain, is_eligible
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.scores import BEST
from skerry.engine.controllers.scheduler.templates import PodFacts, Template
from skerry.engine.controllers.scheduler.terms import Spread

_WEIGHT = 2
_HOSTNAME = "kubernetes.io/hostname"


def preferences(facts: PodFacts, cluster: Cluster, possible: Sequence[NodeState]) -> list[int]:
    """What to add to the score of each possible node, in their order."""
    liked = _company(facts, cluster, possible)
    spread = _even(facts, cluster, possible)
    return [_WEIGHT * (first + second) for first, second in zip(liked, spread, strict=True)]


def _company(facts: PodFacts, cluster: Cluster, possible: Sequence[NodeState]) -> list[int]:
    weights = _domain_weights(facts, cluster)
    if not weights:
        return [0] * len(possible)
    raw = [sum(weights.get(domain, 0) for domain in state.labels.items()) for state in possible]
    least, most = min(raw), max(raw)
    if least == most:
        return [0] * len(possible)
    return [int(BEST * (value - least) / (most - least)) for value in raw]


def _domain_weights(facts: PodFacts, cluster: Cluster) -> Counter[Domain]:
    weights: Counter[Domain] = Counter()
    population = cluster.population
    for attitude, nodes in population.attitudes_to(facts):
        if attitude.weight:
            _weigh(weights, attitude.term.key, attitude.weight, nodes, cluster)
    for wish in facts.template.wishes:
        for group in population.groups():
            of_namespace = population.labels_of_namespace(group.namespace)
            if wish.term.selects(group.namespace, group.labels, of_namespace):
                _weigh(weights, wish.term.key, wish.weight, group.nodes, cluster)
    return weights


def _weigh(weights: Counter[Domain], key: str, weight: int, nodes: Mapping[str, int], cluster: Cluster) -> None:
    for name, number in nodes.items():
        state = cluster.state(name)
        if state is not None and key in state.labels:
            weights[(key, state.labels[key])] += weight * number


def _even(facts: PodFacts, cluster: Cluster, possible: Sequence[NodeState]) -> list[int]:
    rules = facts.template.soft_spread
    if not rules:
        return [0] * len(possible)
    comparable = [all(rule.key in state.labels for rule in rules) for state in possible]
    chosen = [state for state, good in zip(possible, comparable, strict=True) if good]
    raw = [0.0] * len(chosen)
    for rule in rules:
        for index, value in enumerate(_crowding(rule, facts, cluster, chosen)):
            raw[index] += value
    values = iter(_least_crowded([round(value) for value in raw]))
    return [next(values) if good else 0 for good in comparable]


def _crowding(rule: Spread, facts: PodFacts, cluster: Cluster, chosen: Sequence[NodeState]) -> list[float]:
    """Pods of the group in each node's domain, weighted so that a key with more domains counts for more."""
    counts: Counter[str] = Counter()
    for group in cluster.population.groups():
        if group.namespace == facts.namespace and not group.terminating and rule.selects(group.labels):
            for name, number in group.nodes.items():
                state = cluster.state(name)
                if state is not None and rule.key in state.labels and _counts(rule, facts.template, state):
                    counts[state.labels[rule.key]] += number
    size = len(chosen) if rule.key == _HOSTNAME else len({state.labels[rule.key] for state in chosen})
    weight = math.log(size + 2)
    return [counts[state.labels[rule.key]] * weight + (rule.skew - 1) for state in chosen]


def _counts(rule: Spread, template: Template, state: NodeState) -> bool:
    """Most pods choose no nodes, and then every node counts."""
    spec = template.spec
    if not rule.heeds_taints and not spec.get("nodeSelector") and not (spec.get("affinity") or {}).get("nodeAffinity"):
        return True
    return is_eligible(rule, template, state)


def _least_crowded(raw: Sequence[int]) -> list[int]:
    if not raw:
        return []
    least, most = min(raw), max(raw)
    if most == 0:
        return [BEST] * len(raw)
    return [BEST * (most + least - value) // most for value in raw]
