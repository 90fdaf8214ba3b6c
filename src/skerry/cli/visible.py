"""What somebody may see of a collection: all of it, or else what the cluster's roles name for them.

RBAC has no "your own": the platform binds roles with the names of people's own objects, and the cluster tells
everybody their rules. Source: `authorization.k8s.io/v1` SelfSubjectRulesReview.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.objects import Obj, Resource

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_RULES_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False
)


async def visible(client: HttpClient, resource: Resource) -> list[Obj]:
    """The objects, of a resource without namespaces. Raises StatusError, OSError."""
    try:
        return list((await client.list(resource)).items)
    except Forbidden:
        review = await client.create(_RULES_REVIEWS, {"spec": {"namespace": "default"}})
    found = []
    for name in sorted(named(review["status"].get("resourceRules") or (), resource)):
        try:
            found.append(await client.get(resource, name))
        except (Forbidden, NotFound):
            continue  # it went meanwhile, or the right to see it did
    return found


def named(rules: Iterable[Obj], resource: Resource) -> set[str]:
    """The names that rules let somebody get."""
    return {
        name
        for rule in rules
        if resource.group in rule.get("apiGroups", ()) and resource.plural in rule.get("resources", ())
        for name in rule.get("resourceNames") or ()
        if {"get", "*"} & set(rule["verbs"])
    }
