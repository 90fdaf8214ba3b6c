"""Who is where, counted instead of listed: pods with equal labels as one group, equal terms of pods as one.

Rules between pods ask "how many pods like this are in each domain" and "who does not want this pod". Answers come from
a few groups and their counts per node instead of every pod of the cluster. Invariant: what `put` adds `take` removes.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple

from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.engine.controllers.scheduler.terms import Term

Stance = Literal["anti", "need", "wish"]
_EVERYWHERE = ""
_REMEMBERED = 512  # moves; who has missed more counts afresh
_NO_LABELS: Mapping[str, str] = {}


class Move(NamedTuple):
    """A pod was put on a node (1) or taken from it (-1)."""

    facts: PodFacts
    node: str
    number: int


class Attitude(NamedTuple):
    """What a pod says of others: it refuses them ("anti"), needs them ("need"), or likes them so much ("wish")."""

    stance: Stance
    term: Term
    weight: int


@dataclass(slots=True)
class Group:
    """Pods of one namespace with the same labels. `nodes`: how many of them are on each."""

    namespace: str
    labels: Mapping[str, str]
    terminating: bool
    nodes: Counter[str] = field(default_factory=Counter)


class Population:
    """All pods that are on nodes."""

    def __init__(self) -> None:
        self.namespaces: dict[str, Mapping[str, str]] = {}
        """Labels of the namespaces."""
        self.sequence = 0
        """How many times a pod was put or taken."""
        self._journal: deque[Move] = deque(maxlen=_REMEMBERED)
        self._groups: dict[tuple[str, frozenset[tuple[str, str]], bool], Group] = {}
        self._attitudes: dict[str, dict[Attitude, Counter[str]]] = defaultdict(dict)

    def put(self, facts: PodFacts, node: str) -> None:
        """Count a pod on a node."""
        self._write_down(Move(facts, node, 1))
        labels, terminating = facts.labels, facts.is_deleting
        key = (facts.namespace, frozenset(labels.items()), terminating)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(facts.namespace, labels, terminating)
        group.nodes[node] += 1
        if facts.template.is_choosy:
            for attitude in attitudes_of(facts):
                for place in _places(attitude.term):
                    self._attitudes[place].setdefault(attitude, Counter())[node] += 1

    def take(self, facts: PodFacts, node: str) -> None:
        """Count it no longer."""
        self._write_down(Move(facts, node, -1))
        key = (facts.namespace, frozenset(facts.labels.items()), facts.is_deleting)
        _count_down(self._groups[key].nodes, node)
        if not self._groups[key].nodes:
            del self._groups[key]
        if facts.template.is_choosy:
            for attitude in attitudes_of(facts):
                for place in _places(attitude.term):
                    counts = self._attitudes[place][attitude]
                    _count_down(counts, node)
                    if not counts:
                        del self._attitudes[place][attitude]

    def moves_since(self, sequence: int) -> list[Move] | None:
        """What was put and taken after that many moves, in order; None when it is not remembered."""
        missing = self.sequence - sequence
        if missing > len(self._journal):
            return None
        return list(islice(self._journal, len(self._journal) - missing, None))

    def _write_down(self, move: Move) -> None:
        self.sequence += 1
        self._journal.append(move)

    def groups(self) -> Iterator[Group]:
        """All groups."""
        return iter(self._groups.values())

    def labels_of_namespace(self, namespace: str) -> Mapping[str, str]:
        """{} for one that is not known."""
        return self.namespaces.get(namespace, _NO_LABELS)

    def attitudes_to(self, facts: PodFacts) -> list[tuple[Attitude, Counter[str]]]:
        """What pods already there say of this one, and on which nodes they are."""
        namespace = facts.namespace
        found: list[tuple[Attitude, Counter[str]]] = []
        for place in (namespace, _EVERYWHERE):
            for attitude, nodes in self._attitudes.get(place, _NOBODY).items():
                if attitude.term.selects(namespace, facts.labels, self.labels_of_namespace(namespace)):
                    found.append((attitude, nodes))
        return found


_NOBODY: dict[Attitude, Counter[str]] = {}


def attitudes_of(facts: PodFacts) -> list[Attitude]:
    """What one pod says of others. A required term counts as a wish of weight one (`hardPodAffinityWeight`)."""
    template = facts.template
    return [
        *(Attitude("anti", term, 0) for term in template.anti_affinity),
        *(Attitude("need", term, 1) for term in template.affinity),
        *(Attitude("wish", wish.term, wish.weight) for wish in template.wishes),
    ]


def _places(term: Term) -> tuple[str, ...]:
    return (_EVERYWHERE,) if term.namespace_selector is not None else tuple(term.namespaces)


def _count_down(counts: Counter[str], node: str) -> None:
    counts[node] -= 1
    if counts[node] <= 0:
        del counts[node]
