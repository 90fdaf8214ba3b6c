"""Rules between pods: required pod affinity and anti-affinity, and topology spread with `DoNotSchedule`.

Source: Kubernetes plug-ins `interpodaffinity` and `podtopologyspread`. A rule speaks of domains: nodes with the same
value of a label (`topologyKey`). What a rule needs to know of the cluster is worked out once per pod to place, and
not at all for pods without such rules. Namespaces are chosen by name or all of them; a `namespaceSelector` that
selects by label is refused in `unsupported`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skerry.engine.controllers.scheduler.cluster import NodeState, PodFacts
from skerry.engine.controllers.scheduler.node_affinity import matches_required
from skerry.engine.controllers.scheduler.taints import repelling_taints
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.selectors import Selector, selector_of

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
AFFINITY = "node(s) didn't match pod affinity rules"
ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules"
SPREAD = "node(s) didn't match pod topology spread constraints"
SPREAD_NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"

Domain = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Term:
    """One (anti-)affinity term of a pod."""

    key: str
    selector: Selector
    namespaces: frozenset[str]

    def selects(self, facts: PodFacts) -> bool:
        """Whether it speaks of this pod."""
        in_scope = not self.namespaces or facts.namespace in self.namespaces
        return in_scope and self.selector.matches(facts.labels)


def terms_of(facts: PodFacts, kind: str) -> list[Term]:
    """Required terms; `kind` is "podAffinity" or "podAntiAffinity"."""
    affinity = (facts.pod["spec"].get("affinity") or {}).get(kind) or {}
    return [_term(term, facts) for term in affinity.get(_REQUIRED) or ()]


def _term(term: Obj, facts: PodFacts) -> Term:
    selector = _with_label_keys(term, facts)
    return Term(term["topologyKey"], selector, namespaces_of(term, facts.namespace))


def namespaces_of(term: Obj, own: str) -> frozenset[str]:
    """The namespaces a term speaks of; the empty set stands for all (`namespaceSelector: {}`)."""
    named = frozenset(term.get("namespaces") or ())
    if term.get("namespaceSelector") is not None:
        return frozenset()
    return named or frozenset({own})


def _with_label_keys(rule: Obj, facts: PodFacts) -> Selector:
    """The rule's selector, narrowed by `matchLabelKeys` to the values the pod itself has."""
    given = rule.get("labelSelector") or {}
    own = {key: facts.labels[key] for key in rule.get("matchLabelKeys") or () if key in facts.labels}
    return selector_of({**given, "matchLabels": {**(given.get("matchLabels") or {}), **own}})


class NeighbourRules:
    """The rules that bear on one pod, ready to be asked about nodes."""

    def __init__(self, facts: PodFacts, nodes: Sequence[NodeState]) -> None:
        self._facts = facts
        self._affinity = terms_of(facts, "podAffinity")
        self._affinity_domains = [_domains_with(term, nodes) for term in self._affinity]
        self._starts_group = self._is_first_of_its_kind()
        anti = terms_of(facts, "podAntiAffinity")
        self._avoided = set().union(*(_domains_with(term, nodes) for term in anti)) if anti else set()
        self._closed = _closed_domains(facts, nodes)
        self._spread = [SpreadRule(rule, facts, nodes) for rule in hard_spread(facts.pod)]

    def objections(self, state: NodeState) -> Sequence[str]:
        """Why the pod cannot be this node's neighbour."""
        for rule in self._spread:
            reason = rule.objection(state)
            if reason:
                return (reason,)
        if not self._affinity_holds(state):
            return (AFFINITY,)
        domains = set(state.labels.items())
        if domains & self._avoided:
            return (ANTI_AFFINITY,)
        return (EXISTING_ANTI_AFFINITY,) if domains & self._closed else ()

    def _affinity_holds(self, state: NodeState) -> bool:
        if any(term.key not in state.labels for term in self._affinity):
            return False
        if self._starts_group:
            return True
        wanted = zip(self._affinity, self._affinity_domains, strict=True)
        return all((term.key, state.labels[term.key]) in domains for term, domains in wanted)

    def _is_first_of_its_kind(self) -> bool:
        """A pod whose affinity speaks of itself may start a group when nobody is there yet."""
        return not any(self._affinity_domains) and all(term.selects(self._facts) for term in self._affinity)


class SpreadRule:
    """One `topologySpreadConstraints` entry with `whenUnsatisfiable: DoNotSchedule`."""

    def __init__(self, rule: Obj, facts: PodFacts, nodes: Sequence[NodeState]) -> None:
        self._key = rule["topologyKey"]
        self._skew = int(rule.get("maxSkew", 1))
        selector = _with_label_keys(rule, facts)
        self._counts: Counter[str] = Counter()
        keys = [other["topologyKey"] for other in hard_spread(facts.pod)]
        for state in nodes:
            if all(key in state.labels for key in keys) and _is_eligible(rule, facts, state):
                self._counts[state.labels[self._key]] += _matching(selector, facts.namespace, state)
        self._self_match = int(selector.matches(facts.labels))
        self._least = self._global_minimum(int(rule.get("minDomains") or 1))

    def objection(self, state: NodeState) -> str:
        """Why the node would be one too many in its domain, or ""."""
        if self._key not in state.labels:
            return SPREAD_NO_LABEL
        skew = self._counts[state.labels[self._key]] + self._self_match - self._least
        return SPREAD if skew > self._skew else ""

    def _global_minimum(self, min_domains: int) -> int:
        if len(self._counts) < min_domains or not self._counts:
            return 0
        return min(self._counts.values())


def hard_spread(pod: Obj) -> list[Obj]:
    """The constraints that forbid."""
    rules = pod["spec"].get("topologySpreadConstraints") or ()
    return [rule for rule in rules if rule.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"]


def has_neighbour_rules(pod: Obj) -> bool:
    """Whether other pods' coming and going may change where this one can go."""
    affinity = pod["spec"].get("affinity") or {}
    return bool(affinity.get("podAffinity") or affinity.get("podAntiAffinity") or hard_spread(pod))


def _is_eligible(rule: Obj, facts: PodFacts, state: NodeState) -> bool:
    """Nodes that count: by default those the pod's node affinity allows, whatever their taints."""
    spec = facts.pod["spec"]
    if rule.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_required(spec, state.name, state.labels):
        return False
    return rule.get("nodeTaintsPolicy", "Ignore") == "Ignore" or not repelling_taints(spec, state.node or {})


def _matching(selector: Selector, namespace: str, state: NodeState) -> int:
    return sum(
        other.namespace == namespace and not is_deleting(other.pod) and selector.matches(other.labels)
        for other in state.pods.values()
    )


def _domains_with(term: Term, nodes: Iterable[NodeState]) -> set[Domain]:
    """The domains in which a pod that the term selects runs."""
    return {
        (term.key, state.labels[term.key])
        for state in nodes
        if term.key in state.labels and any(term.selects(other) for other in state.pods.values())
    }


def _closed_domains(facts: PodFacts, nodes: Iterable[NodeState]) -> set[Domain]:
    """The domains in which a pod already there does not want this one."""
    return {
        (term.key, state.labels[term.key])
        for state in nodes
        for other in state.choosy.values()
        for term in terms_of(other, "podAntiAffinity")
        if term.key in state.labels and term.selects(facts)
    }
