"""Rules of a pod about other pods, as values: terms of (anti-)affinity and constraints on spread.

Source: Kubernetes plug-ins `interpodaffinity` and `podtopologyspread`. `matchLabelKeys` and `mismatchLabelKeys` are
resolved with the labels of the pod that has the rule, so a term means the same whoever holds it. Values can be
compared: pods made alike have equal terms, which is how `population` counts them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.kube.selectors import Requirement, Selector, selector_of

Labels = Mapping[str, str]
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


@record
class Term:
    """Pods of some namespaces with some labels, in the domains of a topology key."""

    key: str
    selector: Selector | None
    """None selects nothing."""
    namespaces: frozenset[str]
    namespace_selector: Selector | None = None

    def selects(self, namespace: str, labels: Labels, namespace_labels: Labels) -> bool:
        """Whether it speaks of a pod with these labels in this namespace."""
        if self.selector is None or not self._covers(namespace, namespace_labels):
            return False
        return self.selector.matches(labels)

    def _covers(self, namespace: str, namespace_labels: Labels) -> bool:
        if namespace in self.namespaces:
            return True
        return self.namespace_selector is not None and self.namespace_selector.matches(namespace_labels)


@record
class Wish:
    """A preferred term; a negative weight for anti-affinity."""

    term: Term
    weight: int


@record
class Spread:
    """One `topologySpreadConstraints` entry."""

    key: str
    selector: Selector | None
    skew: int
    min_domains: int
    heeds_affinity: bool
    heeds_taints: bool

    def selects(self, labels: Labels) -> bool:
        """Whether a pod of the same namespace counts."""
        return self.selector is not None and self.selector.matches(labels)


def required_terms(spec: Obj, kind: str, namespace: str, labels: Labels) -> tuple[Term, ...]:
    """`kind` is "podAffinity" or "podAntiAffinity"."""
    affinity = (spec.get("affinity") or {}).get(kind) or {}
    return tuple(_term(term, namespace, labels) for term in affinity.get(_REQUIRED) or ())


def wishes_of(spec: Obj, namespace: str, labels: Labels) -> tuple[Wish, ...]:
    """The preferred terms of both kinds."""
    return tuple(_wishes(spec.get("affinity") or {}, namespace, labels))


def spread_of(spec: Obj, unsatisfiable: str, labels: Labels) -> tuple[Spread, ...]:
    """The constraints with this `whenUnsatisfiable`."""
    rules = spec.get("topologySpreadConstraints") or ()
    return tuple(
        Spread(
            rule["topologyKey"],
            _selector(rule, labels),
            int(rule.get("maxSkew", 1)),
            int(rule.get("minDomains") or 1),
            rule.get("nodeAffinityPolicy", "Honor") == "Honor",
            rule.get("nodeTaintsPolicy", "Ignore") == "Honor",
        )
        for rule in rules
        if rule.get("whenUnsatisfiable", "DoNotSchedule") == unsatisfiable
    )


def _wishes(affinity: Obj, namespace: str, labels: Labels) -> Iterator[Wish]:
    for kind, sign in (("podAffinity", 1), ("podAntiAffinity", -1)):
        for wish in (affinity.get(kind) or {}).get(_PREFERRED) or ():
            yield Wish(_term(wish.get("podAffinityTerm") or {}, namespace, labels), sign * int(wish.get("weight", 0)))


def _term(term: Obj, own: str, labels: Labels) -> Term:
    """Without namespaces and a selector for them the pod's own is meant."""
    chosen = term.get("namespaceSelector")
    named = frozenset(term.get("namespaces") or ())
    if chosen is None:
        named = named or frozenset({own})
    return Term(
        term.get("topologyKey", ""),
        _selector(term, labels),
        named,
        selector_of(chosen) if chosen is not None else None,
    )


def _selector(rule: Obj, labels: Labels) -> Selector | None:
    given = rule.get("labelSelector")
    if given is None:
        return None
    more = [
        Requirement(key, "in", frozenset({labels[key]})) for key in rule.get("matchLabelKeys") or () if key in labels
    ]
    more += [
        Requirement(key, "notin", frozenset({labels[key]}))
        for key in rule.get("mismatchLabelKeys") or ()
        if key in labels
    ]
    return Selector((*selector_of(given).requirements, *more))
