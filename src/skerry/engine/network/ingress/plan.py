"""What Caddy is to serve, host by host, from all Ingresses of ours together. Pure; `document` renders it.

`Planner` remembers what an Ingress came to: objects are never changed in place, so a change among hundreds of Ingresses
costs the reading of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from skerry.engine.network.ingress.annotations import Problem
from skerry.engine.network.ingress.backends import Backend, ServiceOf, SlicesOf, backend
from skerry.engine.network.ingress.hosts import Share, grant
from skerry.engine.network.ingress.materials import Materials
from skerry.engine.network.ingress.rules import PathKind, Target, Wanted, wanted
from skerry.engine.network.ingress.settings import Settings
from skerry.kube.objects import Obj, uid_of


@dataclass(frozen=True, slots=True)
class Place:
    """One path of a host and where its requests go."""

    kind: PathKind
    path: str
    backend: Backend
    settings: Settings
    ingress: str
    """Its key."""
    uid: str


@dataclass(frozen=True, slots=True)
class Tls:
    """What `spec.tls` says about a host."""

    secret: str
    """"namespace/name"; "" when none is named."""
    ingress: str
    """The key of the Ingress that says so."""


@dataclass(frozen=True, slots=True)
class Site:
    """One host."""

    host: str
    """"" for hosts that nobody names; may begin with "*."."""
    places: tuple[Place, ...]
    """In the order in which they are tried."""
    tls: Tls | None = None
    """There if `spec.tls` of an Ingress names the host: clients are sent from http to https."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """An answer for an ACME server (HTTP-01)."""

    key: str
    """Of the Challenge object."""
    host: str
    token: str
    answer: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is served."""

    sites: tuple[Site, ...] = ()
    materials: Materials = field(default_factory=Materials)
    challenges: tuple[Challenge, ...] = ()


Problems: TypeAlias = Mapping[str, Sequence[Problem]]
"""By the key of an Ingress."""


class Planner:
    """Makes plans, one after the other."""

    def __init__(self, service_of: ServiceOf, slices_of: SlicesOf) -> None:
        self._service_of, self._slices_of = service_of, slices_of
        self._known: dict[str, tuple[Obj, Wanted]] = {}

    def read(self, ingresses: Iterable[Obj]) -> list[Wanted]:
        """What Ingresses of ours ask for."""
        known, self._known = self._known, {}
        for ingress in ingresses:
            uid = uid_of(ingress)
            before = known.get(uid)
            self._known[uid] = before if before and before[0] is ingress else (ingress, wanted(ingress))
        return [one for _, one in self._known.values()]

    def sites(self, asking: Sequence[Wanted]) -> tuple[tuple[Site, ...], Problems]:
        """All hosts together, and what is wrong by Ingress."""
        granted = grant(asking)
        resolved: dict[Target, Backend] = {}
        sites = tuple(self._site(host, shares, resolved) for host, shares in sorted(granted.shares.items()))
        problems = {
            one.key: (*one.problems, *granted.problems.get(one.key, ()), *_backend_problems(one, resolved))
            for one in asking
        }
        return sites, problems

    def _site(self, host: str, shares: Sequence[Share], resolved: dict[Target, Backend]) -> Site:
        places = [place for share in shares for place in self._places(share, resolved)]
        said = [tls for share in shares if (tls := _tls(share.of, host)) is not None]
        said.sort(key=lambda tls: not tls.secret)  # the oldest that names a Secret, else one that names none
        return Site(host, tuple(sorted(places, key=_order)), said[0] if said else None)

    def _places(self, share: Share, resolved: dict[Target, Backend]) -> Iterable[Place]:
        of = share.of
        for path in share.paths:
            to = self._resolve(path.target, resolved)
            yield Place(path.kind, path.path, to, of.settings, of.key, of.uid)
        if of.default is not None and not any(path.kind == "Prefix" and not path.path for path in share.paths):
            yield Place("Prefix", "", self._resolve(of.default, resolved), of.settings, of.key, of.uid)

    def _resolve(self, target: Target, resolved: dict[Target, Backend]) -> Backend:
        if target not in resolved:
            resolved[target] = backend(target, self._service_of, self._slices_of)
        return resolved[target]


def _tls(of: Wanted, host: str) -> Tls | None:
    """A wildcard in `spec.tls` counts for hosts below it."""
    wildcard = f"*.{host.partition('.')[2]}"
    name = of.certificates.get(host, of.certificates.get(wildcard))
    if name is None:
        return None
    return Tls(f"{of.namespace}/{name}" if name else "", of.key)


_KINDS = {"Exact": 0, "Regex": 1, "Prefix": 2}


def _order(place: Place) -> tuple[int, int, int]:
    """Exact paths first, then the longest; of an expression and a prefix of the same length the expression."""
    return (0 if place.kind == "Exact" else 1, -len(place.path), _KINDS[place.kind])


def _backend_problems(one: Wanted, resolved: Mapping[Target, Backend]) -> list[Problem]:
    targets = {path.target for paths in one.paths.values() for path in paths} | (
        {one.default} if one.default else set()
    )
    troubles = sorted({resolved[target].trouble for target in targets if target in resolved} - {""})
    return [Problem("NoBackend", trouble) for trouble in troubles]
