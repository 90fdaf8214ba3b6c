"""Whose host it is when several Ingresses ask for one. Pure.

The namespace of the oldest Ingress owns the host; Ingresses of its own namespace add paths, and of two equal paths the
older Ingress's counts. An Ingress of another namespace does not get the host, and learns who has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from skerry.engine.network.ingress.annotations import Problem
from skerry.engine.network.ingress.rules import Path, Wanted


@dataclass(frozen=True, slots=True)
class Share:
    """What one Ingress adds to a host."""

    of: Wanted
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Granted:
    """Who serves what."""

    shares: dict[str, list[Share]]
    """By host, the oldest Ingress first."""
    problems: dict[str, list[Problem]]
    """By the key of the Ingress."""


def grant(asking: Iterable[Wanted]) -> Granted:
    """Decide about all Ingresses together."""
    shares: dict[str, list[Share]] = defaultdict(list)
    problems: dict[str, list[Problem]] = defaultdict(list)
    taken: set[tuple[str, str, str]] = set()
    for one in sorted(asking, key=lambda one: one.age):
        for host, paths in one.paths.items():
            owner = shares[host][0].of if shares[host] else one
            if owner.namespace != one.namespace:
                problems[one.key].append(_host_taken(host, owner))
                continue
            free = []
            for path in paths:
                place = (host, path.kind, path.path)
                if place in taken:
                    problems[one.key].append(_path_taken(host, path, shares[host]))
                    continue
                taken.add(place)
                free.append(path)
            shares[host].append(Share(one, tuple(free)))
    return Granted(dict(shares), dict(problems))


def _host_taken(host: str, owner: Wanted) -> Problem:
    what = f"host {host}" if host else "the place for hosts that no Ingress names"
    return Problem("HostTaken", f"{what} belongs to the older Ingress {owner.key}: it is not served from here")


def _path_taken(host: str, path: Path, shares: list[Share]) -> Problem:
    owners = [share.of.key for share in shares if any(_same(path, other) for other in share.paths)]
    where = f"{host}{path.path or '/'}"
    return Problem("PathTaken", f"{where} is served by {owners[0] if owners else 'this Ingress'} already")


def _same(path: Path, other: Path) -> bool:
    return (path.kind, path.path) == (other.kind, other.path)
