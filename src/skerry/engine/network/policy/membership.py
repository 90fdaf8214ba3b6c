"""Who is selected: which selections a pod is in, and which policies make up its profile. Pure.

Remembered by group: the pods of one workload are asked about once, until policies or namespaces change.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.network.policy.parties import Group, NamedPort
from skerry.engine.network.policy.policies import Direction, Policy, Selection, selections_of

Labels = Mapping[str, str]
METADATA_LABEL, METADATA_ALLOWED = "skerry.dev/cloud-metadata", "allowed"
"""The label of a namespace whose pods may reach the metadata addresses of clouds."""
DIRECTIONS: tuple[Direction, ...] = ("egress", "ingress")


@dataclass(frozen=True, slots=True)
class Profile:
    """The policies that pods of some groups are under in one direction. The name is the same for the same ones."""

    direction: Direction
    policies: tuple[Policy, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What all pods of a group have in common."""

    selections: frozenset[str]
    """Keys of those they are in."""
    profiles: tuple[Profile, ...]
    """Of the directions that some policy speaks of."""
    opened: bool
    """Whether they may ask the cloud for its metadata."""


class Membership:
    """Under these policies, in a stable order, and with these labels of namespaces."""

    def __init__(self, policies: Sequence[Policy], namespaces: Mapping[str, Labels]) -> None:
        self.policies = policies
        self._namespaces = namespaces
        self._inside: dict[str, dict[str, Selection]] = defaultdict(dict)
        """By their one namespace; those that look at namespaces' labels under ""."""
        self._known: dict[Group, Standing] = {}
        self.written: dict[tuple[str, frozenset[NamedPort]], Sequence[str]] = {}
        """Rules that were written before: of a chain, with these ports that have names."""
        for one in selections_of(policies):
            self._inside[one.namespace][one.key] = one

    def of(self, group: Group) -> Standing:
        """What pods of this group have in common."""
        known = self._known.get(group)
        if known is None:
            selections = frozenset(self._selections(group))
            around = self._namespaces.get(group.namespace, {})
            opened = around.get(METADATA_LABEL) == METADATA_ALLOWED
            known = self._known[group] = Standing(selections, tuple(self._profiles(selections)), opened)
        return known

    def _selections(self, group: Group) -> Iterable[str]:
        labels, around = dict(group.labels), self._namespaces.get(group.namespace, {})
        for place in (group.namespace, ""):
            for key, selection in self._inside.get(place, {}).items():
                if selection.matches(group.namespace, labels, around):
                    yield key

    def _profiles(self, selections: frozenset[str]) -> Iterator[Profile]:
        selecting = [one for one in self.policies if one.selected.key in selections]
        for direction in DIRECTIONS:
            policies = tuple(one for one in selecting if one.rules(direction) is not None)
            if policies:
                digest = hashlib.sha256(" ".join(one.key for one in policies).encode()).hexdigest()
                yield Profile(direction, policies, f"{direction}/{digest[:16]}")
