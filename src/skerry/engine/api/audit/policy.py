"""The audit policy: how much is kept of which request. The first rule that matches counts; without one nothing is kept.

Source: Kubernetes' `audit.k8s.io/v1` Policy, `apiserver/pkg/audit/policy/checker.go` and its validation. A file with a
field nobody knows is refused, because a misspelt rule would keep too little or too much.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from skerry.engine.api.auth.access import Access
from skerry.engine.api.auth.rbac.rules import url_matches
from skerry.kube.records import record

RECEIVED, STARTED, COMPLETE, PANIC = "RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"
STAGES = (RECEIVED, STARTED, COMPLETE, PANIC)
_REMEMBERED = 10_000


class Level(IntEnum):
    """How much is kept."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    RESPONSE = 3


LEVELS = ("None", "Metadata", "Request", "RequestResponse")
"""Their names, in policies and events."""


class Verdict(NamedTuple):
    """What a policy says about a request."""

    level: Level
    omitted: frozenset[str] = frozenset()
    """Stages of which nothing is kept."""
    omit_managed_fields: bool = False


_NOTHING = Verdict(Level.NONE)


class Resources(NamedTuple):
    """Resources of a group; no resources: all of them."""

    group: str
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def match(self, access: Access) -> bool:
        """Whether an access is to one of them."""
        if self.group not in ("*", access.group):
            return False
        if not self.resources:
            return True
        if self.names and access.name not in self.names:
            return False
        return any(_names(pattern, access) for pattern in self.resources)


def _names(pattern: str, access: Access) -> bool:
    if pattern in ("*", access.combined, f"{access.resource}/*"):
        return True
    return bool(access.subresource) and pattern == f"*/{access.subresource}"


@record
class AuditRule:
    """One rule: all it names must match."""

    verdict: Verdict
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[Resources, ...] = ()
    namespaces: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    def matches(self, access: Access) -> bool:
        """Whether it is about an access."""
        if self.users and access.user.name not in self.users:
            return False
        if self.groups and not any(group in self.groups for group in access.user.groups):
            return False
        if self.verbs and access.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return not access.path and self._matches_resource(access)
        return not self.urls or (bool(access.path) and any(url_matches(url, access.path) for url in self.urls))

    def _matches_resource(self, access: Access) -> bool:
        if self.namespaces and access.namespace not in self.namespaces:
            return False
        return not self.resources or any(one.match(access) for one in self.resources)


class AuditPolicy:
    """Rules in order. Verdicts are remembered where they do not depend on single objects."""

    def __init__(self, rules: tuple[AuditRule, ...]) -> None:
        self.rules = rules
        self._by_name = any(resources.names for rule in rules for resources in rule.resources)
        self._known: dict[tuple[object, ...], Verdict] = {}

    def verdict(self, access: Access) -> Verdict:
        """What is kept of it."""
        key = (access.user.name, access.user.groups, access[:6], access.name if self._by_name else "")
        found = self._known.get(key)
        if found is None:
            matching = (rule.verdict for rule in self.rules if rule.matches(access))
            found = next(matching, _NOTHING)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            if access.ordinary:
                self._known[key] = found
        return found
