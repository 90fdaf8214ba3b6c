"""The kinds that are served, by group, version and plural. Custom resources are added and removed while running.

A whole version of a group may be served elsewhere: then all its kinds are, whatever kinds of it are known here.

Invariant: kinds are immutable; what changes is which of them are here. Neighbours: `kinds` (the built-in data),
`engine.api` (routes and discovery from it), `openapi`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.custom.versions import rank
from skerry.kube.objects import Resource


class Registry:
    """Kinds in discovery order: groups as first added, versions of a group as first added (preferred first)."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._ordered: set[str] = set()
        """Groups whose versions are in the order wanted: the built-in ones."""
        self._retirements: dict[tuple[str, str, str], set[Callable[[], None]]] = {}
        self._elsewhere: set[tuple[str, str]] = set()
        self.generation = 0
        """Raised by every change: what is derived from the registry may be cached under it."""
        for kind in kinds:
            self.add(kind)

    def kind(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind served at that path, or None."""
        return self._kinds.get((group, version, plural))

    def kinds(self, group: str | None = None, version: str | None = None) -> list[Kind]:
        """All kinds, or those of one group, or of one group's version."""
        return [
            kind
            for (of_group, of_version, _), kind in self._kinds.items()
            if group in (None, of_group) and version in (None, of_version)
        ]

    def one_each(self) -> list[Kind]:
        """One kind for every stored resource: of the version that is stored, where it is served."""
        found: dict[str, Kind] = {}
        for kind in self._kinds.values():
            if kind.storage_group is None:
                current = found.get(kind.resource.group_resource)
                if current is None or _stores(kind):
                    found[kind.resource.group_resource] = kind
        return list(found.values())

    def storing(self, kind: Kind) -> Kind:
        """The kind whose version and group are those `kind`'s objects are stored in; itself where it is alone."""
        alike = [each for each in self._kinds.values() if each.stored_as == kind.stored_as]
        stored = (each for each in alike if each.storage_group is None and _stores(each))
        return next(stored, kind)

    def versions(self) -> dict[str, list[str]]:
        """The versions of every group, "" (core) first, the preferred version first."""
        found: dict[str, list[str]] = {}
        for group, version, _ in self._kinds:
            versions = found.setdefault(group, [])
            if version not in versions:
                versions.append(version)
        for group, versions in found.items():
            if len(versions) > 1 and group not in self._ordered:
                versions.sort(key=rank, reverse=True)
        return found

    def is_elsewhere(self, group: str, version: str) -> bool:
        """Whether a version of a group is served by another server."""
        return (group, version) in self._elsewhere

    def served(self, resource: Resource) -> Kind | None:
        """The kind that serves a resource, here or elsewhere, or None."""
        if (resource.group, resource.version) in self._elsewhere:
            return Kind(resource, singular="", definition="", verbs=(), elsewhere=True)
        return self.kind(resource.group, resource.version, resource.plural)

    def set_elsewhere(self, group: str, version: str, elsewhere: bool) -> None:
        """Note where a version of a group is served; here when nothing has been said."""
        if elsewhere != self.is_elsewhere(group, version):
            (self._elsewhere.add if elsewhere else self._elsewhere.discard)((group, version))
            self.generation += 1

    def add(self, kind: Kind) -> None:
        """Serve a kind, in place of one with the same group, version and plural."""
        key = _key(kind)
        replaced = self._kinds.get(key)
        self._kinds[key] = kind
        if kind.definition:
            self._ordered.add(kind.resource.group)
        self.generation += 1
        if replaced is not None:
            self._retire(key)

    def remove(self, kind: Kind) -> None:
        """Serve it no more; harmless when it is not served."""
        if self._kinds.pop(_key(kind), None) is not None:
            self.generation += 1
            self._retire(_key(kind))

    def until_retired(self, kind: Kind, end: Callable[[], None]) -> Callable[[], None]:
        """Have `end` called once when the kind is replaced or served no more; returns what takes that back."""
        waiting = self._retirements.setdefault(_key(kind), set())
        waiting.add(end)
        return lambda: waiting.discard(end)

    def _retire(self, key: tuple[str, str, str]) -> None:
        for end in self._retirements.pop(key, ()):
            end()


def _key(kind: Kind) -> tuple[str, str, str]:
    return kind.resource.group, kind.resource.version, kind.resource.plural


def builtin() -> Registry:
    """A new registry with Kubernetes' own kinds."""
    from skerry.engine.schema.kinds import builtin_kinds

    registry = Registry(builtin_kinds())
    for kind in registry.kinds():
        strategy = kind.strategy.among(registry.kinds)
        if strategy is not kind.strategy:
            registry.add(replace(kind, strategy=strategy))
    return registry


def _stores(kind: Kind) -> bool:
    return kind.conversion is None or kind.conversion.stores
