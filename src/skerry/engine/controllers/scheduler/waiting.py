"""Pods that fit nowhere, grouped so that of a thousand alike one is tried when something changes.

Pods of one template, namespace and set of labels fare alike: when the first of them still fits nowhere, so do the
others; when it fits, the next is tried. Pods with claims are alone, for their volumes differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.controllers.scheduler.templates import PodFacts
from skerry.engine.controllers.volumes.users import claimed
from skerry.kube.objects import Obj, key_of

Alike = tuple[object, ...]


class Waiting:
    """By the key of the pod."""

    def __init__(self) -> None:
        self._groups: dict[Alike, dict[str, PodFacts]] = {}
        self._group_of: dict[str, Alike] = {}

    def __bool__(self) -> bool:
        return bool(self._group_of)

    def add(self, facts: PodFacts) -> None:
        """It fits nowhere now. One that waits already keeps its turn."""
        key, alike = key_of(facts.pod), _alike(facts)
        if self._group_of.get(key) != alike:
            self.remove(key)
            self._group_of[key] = alike
        self._groups.setdefault(alike, {})[key] = facts

    def remove(self, key: str) -> str | None:
        """It waits no more; returns one that is like it, to be tried next."""
        alike = self._group_of.pop(key, None)
        if alike is None:
            return None
        group = self._groups[alike]
        del group[key]
        if not group:
            del self._groups[alike]
        return next(iter(group), None)

    def first_of_each(self, *, only_social: bool = False) -> Iterator[str]:
        """Keys to try when something has changed; `only_social`: those that look at other pods."""
        for group in self._groups.values():
            key, facts = next(iter(group.items()))
            if not only_social or facts.template.is_social:
                yield key

    def with_claims(self) -> Iterator[str]:
        """Keys of pods that may wait for a claim."""
        return (key for group in self._groups.values() for key, facts in group.items() if _has_claims(facts.pod))


def _alike(facts: PodFacts) -> Alike:
    alone = key_of(facts.pod) if _has_claims(facts.pod) else ""
    return (facts.template, facts.namespace, frozenset(facts.labels.items()), alone)


def _has_claims(pod: Obj) -> bool:
    return next(claimed(pod), None) is not None
