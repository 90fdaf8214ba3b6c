"""Whether somebody may do something, asked of the cluster: authorisation is RBAC and nothing else.

Verbs of our own ("approve" on projectrequests) need no code: whoever has a role with that verb may.
Source: kubernetes.io, "Checking API access"; `authorization.k8s.io/v1`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.kube.client import Client
from skerry.kube.objects import Resource
from skerry.kube.records import record

SUBJECT_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False
)
MAY_ASK = {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]}
"""The right a capability needs to ask."""


@record
class Action:
    """What somebody wants to do."""

    verb: str
    resource: Resource
    name: str = ""
    namespace: str = ""
    subresource: str = ""


async def may(client: Client, user: str, groups: Iterable[str], action: Action) -> bool:
    """Whether the cluster allows it. Raises StatusError, OSError."""
    wanted = {
        "verb": action.verb,
        "group": action.resource.group,
        "version": action.resource.version,
        "resource": action.resource.plural,
        "subresource": action.subresource,
        "name": action.name,
        "namespace": action.namespace,
    }
    spec = {"user": user, "groups": sorted(groups), "resourceAttributes": wanted}
    answer = await client.create(SUBJECT_ACCESS_REVIEWS, {"spec": spec})
    return bool(answer["status"].get("allowed"))
