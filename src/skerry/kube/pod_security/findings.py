"""What checks on pods are written with: findings, containers, and the wording of lists.

Source: Kubernetes' `pod-security-admission/policy` (helpers.go, visitor.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from skerry.kube.objects import Obj


class Finding(NamedTuple):
    """Why a pod violates a level: the reason ("hostPort") and what of the pod it is."""

    reason: str
    detail: str


Check: TypeAlias = Callable[[Obj, Obj], Finding | None]
"""Metadata and spec of a pod -> what is wrong, None when nothing is."""


def containers_of(spec: Obj) -> Iterator[Obj]:
    """Init containers, containers, ephemeral containers."""
    for part in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(part) or ()


def security_of(holder: Obj) -> Obj:
    """The security context of a pod spec or a container."""
    return holder.get("securityContext") or {}


def plural(one: str, many: str, number: int) -> str:
    """The word for so many."""
    return one if number == 1 else many


def quoted(items: Iterable[str]) -> str:
    """ "a", "b"."""
    return '"' + '", "'.join(items) + '"'


def containers(names: list[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{plural('container', 'containers', len(names))} {quoted(names)}"


def setters(spec: Obj, is_bad: Callable[[Obj], bool]) -> str:
    """Who sets something bad in a security context: `pod and container "a"`; "" when nobody does."""
    found = ["pod"] if is_bad(security_of(spec)) else []
    if names := [each["name"] for each in containers_of(spec) if is_bad(security_of(each))]:
        found.append(containers(names))
    return " and ".join(found)


def in_user_namespace(spec: Obj) -> bool:
    """Whether the pod's root is nobody on the host."""
    return spec.get("hostUsers") is False


def on_windows(spec: Obj) -> bool:
    """Whether the pod says that it is one for Windows."""
    return (spec.get("os") or {}).get("name") == "windows"
