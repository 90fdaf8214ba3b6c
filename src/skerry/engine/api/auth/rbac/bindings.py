"""Who is bound to which role, found by subject: what a decision needs to look at is what this user has, never all
there is.

A cluster-wide binding is kept under the namespace "". Follows changes one binding at a time. Source: Kubernetes'
`pkg/registry/rbac/validation/rule.go` (appliesTo, describeSubject).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from skerry.engine.api.request import User
from skerry.engine.store.contract import Key
from skerry.kube.objects import Obj

_ACCOUNT = "system:serviceaccount"


class RoleKey(NamedTuple):
    """A role that may exist or not: namespace "" for a ClusterRole."""

    namespace: str
    name: str

    @property
    def missing(self) -> str:
        """What is said when it does not exist."""
        kind = "role" if self.namespace else "clusterrole"
        return f'{kind}.rbac.authorization.k8s.io "{self.name}" not found'


class Grant(NamedTuple):
    """One subject's share of one binding."""

    role: RoleKey
    source: str
    """The binding as reasons name it."""


class _Place(NamedTuple):
    namespace: str
    subject: str


class Bindings:
    """All bindings of a cluster."""

    def __init__(self) -> None:
        self._grants: dict[_Place, dict[Key, Grant]] = {}
        self._places: dict[Key, list[_Place]] = {}

    def put(self, key: Key, binding: Obj) -> None:
        """A binding is new or has changed."""
        self.remove(key)
        places = self._places[key] = []
        for subject in binding.get("subjects") or ():
            name = _user_or_group(subject, key.namespace)
            if name:
                place = _Place(key.namespace, name)
                places.append(place)
                self._grants.setdefault(place, {})[key] = _grant(key, binding["roleRef"], subject)

    def remove(self, key: Key) -> None:
        """A binding is gone; harmless when it never was."""
        for place in self._places.pop(key, ()):
            grants = self._grants.get(place, {})
            grants.pop(key, None)
            if not grants:
                self._grants.pop(place, None)

    def of(self, user: User, namespace: str) -> Iterator[Grant]:
        """What a user has in a namespace, cluster-wide bindings first. Only these when namespace is ""."""
        subjects = [f"User {user.name}", *(f"Group {group}" for group in user.groups)]
        for where in ("", namespace) if namespace else ("",):
            for subject in subjects:
                grants: Iterable[Grant] = self._grants.get(_Place(where, subject), {}).values()
                yield from grants


def _user_or_group(subject: Obj, namespace: str) -> str:
    """What the subject is called in the index; a service account is a user. "" for what can be nobody."""
    if subject["kind"] != "ServiceAccount":
        return f"{subject['kind']} {subject['name']}"
    home = subject.get("namespace") or namespace
    return f"User {_ACCOUNT}:{home}:{subject['name']}" if home else ""


def _grant(key: Key, role: Obj, subject: Obj) -> Grant:
    where = f"{key.name}/{key.namespace}" if key.namespace else key.name
    kind = "RoleBinding" if key.namespace else "ClusterRoleBinding"
    source = f'{kind} "{where}" of {role["kind"]} "{role["name"]}" to {_described(subject, key.namespace)}'
    return Grant(RoleKey(key.namespace if role["kind"] == "Role" else "", role["name"]), source)


def _described(subject: Obj, namespace: str) -> str:
    name = subject["name"]
    if subject["kind"] == "ServiceAccount":
        name = f"{name}/{subject.get('namespace') or namespace}"
    return f'{subject["kind"]} "{name}"'
