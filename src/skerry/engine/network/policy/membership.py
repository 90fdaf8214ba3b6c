"""Which selections a pod is in. Remembered by group: the pods of one workload are asked about once. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from skerry.engine.network.policy.parties import Group
from skerry.engine.network.policy.policies import Selection

Labels = Mapping[str, str]


class Membership:
    """For these selections, and the labels of these namespaces."""

    def __init__(self, selections: Iterable[Selection], namespaces: Mapping[str, Labels]) -> None:
        self._namespaces = namespaces
        self._inside: dict[str, dict[str, Selection]] = defaultdict(dict)
        """By their one namespace; those that look at namespaces' labels under ""."""
        self._known: dict[Group, frozenset[str]] = {}
        for one in selections:
            self._inside[one.namespace][one.key] = one

    def of(self, group: Group) -> frozenset[str]:
        """The keys of the selections that pods of this group are in."""
        known = self._known.get(group)
        if known is None:
            known = self._known[group] = frozenset(self._look(group))
        return known

    def _look(self, group: Group) -> Iterable[str]:
        labels, around = dict(group.labels), self._namespaces.get(group.namespace, {})
        for place in (group.namespace, ""):
            for key, selection in self._inside.get(place, {}).items():
                if selection.matches(group.namespace, labels, around):
                    yield key
