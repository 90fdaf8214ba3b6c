"""Policy rules: what one allows. Pure functions. Source: Kubernetes' `pkg/apis/rbac/v1/evaluation_helpers.go`."""

from __future__ import annotations

from typing import NamedTuple

from skerry.engine.api.auth.access import Access
from skerry.kube.objects import Obj

ALL = "*"


class Rule(NamedTuple):
    """One `PolicyRule`. Resource rules have groups and resources, path rules have urls."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """None: all names, those not known yet included."""
    urls: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, obj: Obj) -> Rule:
        """As it stands in `rules` of a role."""
        parts = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
        return cls(*(tuple(obj.get(part) or ()) for part in parts))

    def to_json(self) -> Obj:
        """The same, without empty lists."""
        parts = {
            "verbs": self.verbs,
            "apiGroups": self.groups,
            "resources": self.resources,
            "resourceNames": self.names,
            "nonResourceURLs": self.urls,
        }
        return {name: list(values) for name, values in parts.items() if values}


def rules_of(role: Obj) -> tuple[Rule, ...]:
    """The rules of a Role or ClusterRole."""
    return tuple(Rule.from_json(rule) for rule in role.get("rules") or ())


def allows(rule: Rule, access: Access) -> bool:
    """Whether a rule allows an access."""
    return covers_but_name(rule, access) and (not rule.names or access.name in rule.names)


def covers_but_name(rule: Rule, access: Access) -> bool:
    """Whether a rule allows an access to some name, if not to this one."""
    if access.verb not in rule.verbs and ALL not in rule.verbs:
        return False
    if access.path:
        return any(url_matches(url, access.path) for url in rule.urls)
    if access.group not in rule.groups and ALL not in rule.groups:
        return False
    return resource_matches(rule.resources, access.combined, access.subresource)


def resource_matches(resources: tuple[str, ...], combined: str, subresource: str) -> bool:
    """Whether a rule's resources have one: by name, all of them, or all with this subresource ("*/scale")."""
    if combined in resources or ALL in resources:
        return True
    return bool(subresource) and f"*/{subresource}" in resources


def url_matches(url: str, path: str) -> bool:
    """Whether a rule's URL has a path: itself, or all that begins so ("/healthz/*")."""
    return url in (ALL, path) or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))
