"""The order of API versions: v2, v1, v1beta2, v1alpha1, then others by name. Source: apimachinery `pkg/version`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from skerry.kube.objects import Obj

_VERSION = re.compile(r"v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?")
_STAGES = {"alpha": 0, "beta": 1, None: 2}


def rank(name: str) -> tuple[int, int, int]:
    """Higher is preferred; names of another form rank below all."""
    found = _VERSION.fullmatch(name)
    return (_STAGES[found[2]], int(found[1]), int(found[3] or 0)) if found else (-1, 0, 0)


def preferred_over(one: str, other: str) -> bool:
    """Whether the first version comes before the second."""
    return (rank(one), _reversed(one)) > (rank(other), _reversed(other))


def by_preference(versions: Iterable[Obj]) -> list[Obj]:
    """Versions of a definition, the preferred one first."""
    return sorted(
        sorted(versions, key=lambda each: str(each["name"])), key=lambda each: rank(each["name"]), reverse=True
    )


def _reversed(name: str) -> list[int]:
    """Orders names backwards: of versions of another form the first by name is preferred."""
    return [-ord(char) for char in name]
