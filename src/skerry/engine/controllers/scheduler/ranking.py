"""The nodes as pods of one template see them, best first, kept current by looking only at nodes that have changed.

Filtering and scoring a thousand nodes for every replica would be most of the scheduler's work, and all but one answer
would be the same as for the replica before: placing a pod changes one node. So answers are kept by template, with
Kubernetes' formulas unchanged (compare its opportunistic batching). Invariant: after `sync`, `entries` holds for every
node that is there what the filters and scores would say now.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, OrderedDict
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

from skerry.engine.controllers.scheduler.cluster import Cluster
from skerry.engine.controllers.scheduler.filters import Objection, fixed_objection, passing_objection
from skerry.engine.controllers.scheduler.neighbours import NeighbourRules
from skerry.engine.controllers.scheduler.node_affinity import preferred_weight
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.scores import (
    TAINTS_WEIGHT,
    WISHES_WEIGHT,
    discouraging_taints,
    normalized,
    of_node,
)
from skerry.engine.controllers.scheduler.templates import PodFacts, Template

_REMEMBERED = 64


class _Fixed(NamedTuple):
    """What depends on the Node object only."""

    version: int
    objection: Objection | None
    wishes: int
    taints: int


class Entry(NamedTuple):
    """One node. `base`: the part of its score that does not depend on other nodes."""

    objection: Objection | None
    base: int
    wishes: int
    taints: int
    stamp: int


class Ranking:
    """For one template."""

    def __init__(self, template: Template) -> None:
        self.entries: dict[str, Entry] = {}
        self.reasons: Counter[str] = Counter()
        """Of how many nodes each reason is said."""
        self._template = template
        self._fixed: dict[str, _Fixed] = {}
        self._wishes: Counter[int] = Counter()
        self._taints: Counter[int] = Counter()
        self._most = (0, 0)
        self._heap: list[tuple[int, int, str]] = []
        self._stamps = itertools.count()
        self._synced = -1
        self._next = 0

    def sync(self, cluster: Cluster) -> None:
        """Take in what has changed since the last time."""
        if self._synced == cluster.version:
            return
        names = cluster.changed_since(self._synced)
        self._synced = cluster.version
        for name in reversed(names):
            self._update(name, cluster.state(name))
        most = (max(self._wishes, default=0), max(self._taints, default=0))
        if most != self._most or len(self._heap) > 4 * len(self.entries) + 64:
            self._most = most
            fits = [(name, one) for name, one in self.entries.items() if one.objection is None]
            self._heap = [(-self.total(one), one.stamp, name) for name, one in fits]
            heapq.heapify(self._heap)

    def best(self) -> str | None:
        """The node with the highest score; of equal ones that which has not changed for longest."""
        while self._heap:
            _, stamp, name = self._heap[0]
            entry = self.entries.get(name)
            if entry is not None and entry.stamp == stamp:
                return name
            heapq.heappop(self._heap)
        return None

    def rotated(self) -> Iterator[tuple[str, Entry]]:
        """All nodes, from another one each time, so that who stops early has looked at all of them after a while."""
        names = list(self.entries)
        self._next = (self._next + len(names) // 2 + 1) % max(1, len(names))
        for name in (*names[self._next :], *names[: self._next]):
            yield name, self.entries[name]

    def in_order(self) -> Generator[str, None, None]:
        """All possible nodes, the best first. To be closed before anything changes."""
        seen: list[tuple[int, int, str]] = []
        try:
            while (name := self.best()) is not None:
                seen.append(heapq.heappop(self._heap))
                yield name
        finally:
            for item in seen:
                heapq.heappush(self._heap, item)

    def total(self, entry: Entry) -> int:
        """The score of a possible node, rules between pods aside."""
        wishes = WISHES_WEIGHT * normalized(entry.wishes, self._most[0])
        return entry.base + wishes + TAINTS_WEIGHT * normalized(entry.taints, self._most[1], reverse=True)

    def resolvable(self) -> Iterable[str]:
        """Nodes to which the only objection is what is on them."""
        return (name for name, one in self.entries.items() if one.objection is not None and one.objection.resolvable)

    def _update(self, name: str, state: NodeState | None) -> None:
        self._forget(name)
        if state is None:
            self._fixed.pop(name, None)
            return
        template, fixed = self._template, self._fixed_of(state)
        found = fixed.objection or passing_objection(template, state)
        base = of_node(template, state) if found is None else 0
        entry = self.entries[name] = Entry(found, base, fixed.wishes, fixed.taints, next(self._stamps))
        if found is not None:
            self.reasons.update(found.reasons)
            return
        if fixed.wishes:
            self._wishes[fixed.wishes] += 1
        if fixed.taints:
            self._taints[fixed.taints] += 1
        heapq.heappush(self._heap, (-self.total(entry), entry.stamp, name))

    def _forget(self, name: str) -> None:
        entry = self.entries.pop(name, None)
        if entry is None:
            return
        if entry.objection is not None:
            self.reasons.subtract(entry.objection.reasons)
            return
        for counts, value in ((self._wishes, entry.wishes), (self._taints, entry.taints)):
            if value:
                counts[value] -= 1
                if not counts[value]:
                    del counts[value]

    def _fixed_of(self, state: NodeState) -> _Fixed:
        fixed = self._fixed.get(state.name)
        if fixed is None or fixed.version != state.node_version:
            spec = self._template.spec
            fixed = self._fixed[state.name] = _Fixed(
                state.node_version,
                fixed_objection(self._template, state),
                preferred_weight(spec, state.name, state.labels),
                discouraging_taints(spec, state) if state.soft_taints else 0,
            )
        return fixed


def scores_of(template: Template, states: Sequence[NodeState]) -> list[int]:
    """The same for a few nodes, compared with each other, nothing remembered."""
    wishes = [preferred_weight(template.spec, state.name, state.labels) for state in states]
    taints = [discouraging_taints(template.spec, state) for state in states]
    most = (max(wishes, default=0), max(taints, default=0))
    return [
        of_node(template, state)
        + WISHES_WEIGHT * normalized(wish, most[0])
        + TAINTS_WEIGHT * normalized(taint, most[1], reverse=True)
        for state, wish, taint in zip(states, wishes, taints, strict=True)
    ]


class Rankings:
    """Those of the templates used lately, for one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._kept: OrderedDict[Template, Ranking] = OrderedDict()
        self._rules: OrderedDict[Template, NeighbourRules] = OrderedDict()

    def neighbour_rules(self, facts: PodFacts) -> NeighbourRules | None:
        """None when no rule between pods bears on this one. Those of a template with rules of its own are kept."""
        if not facts.template.is_social:
            return NeighbourRules(facts, self.cluster) if self.cluster.population.attitudes_to(facts) else None
        rules = self._rules.get(facts.template)
        if rules is None or not rules.catch_up():
            rules = self._rules[facts.template] = NeighbourRules(facts, self.cluster)
            if len(self._rules) > _REMEMBERED:
                self._rules.popitem(last=False)
        return rules

    def forget_rules(self) -> None:
        """Labels of namespaces have changed: count afresh."""
        self._rules.clear()

    def of(self, template: Template) -> Ranking:
        """The current one."""
        ranking = self._kept.get(template)
        if ranking is None:
            ranking = self._kept[template] = Ranking(template)
            if len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(template)
        ranking.sync(self.cluster)
        return ranking
