"""Who may read: asked of the Kubernetes API, by whom a token is (TokenReview) and what RBAC says of him.

The same two questions as kube-rbac-proxy's, so Prometheus comes with its service account as to everything else.
"""

from __future__ import annotations

from skerry.kube.client import Client
from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record

TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", namespaced=False)
ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False)


@record
class Refusal:
    """`code`: of HTTP."""

    code: int
    message: str


async def refusal_of(client: Client, authorization: str, path: str) -> Refusal | None:
    """Why whoever sent this header may not GET a path; None when he may. Raises StatusError, OSError."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return Refusal(401, f"{path} wants a bearer token that the cluster knows, such as a service account's")
    user = await _user_of(client, token.strip())
    if user is None:
        return Refusal(401, "the cluster does not know this token, or it has expired")
    name = user.get("username", "")
    spec = {
        "user": name,
        "uid": user.get("uid", ""),
        "groups": user.get("groups") or [],
        "extra": user.get("extra") or {},
        "nonResourceAttributes": {"path": path, "verb": "get"},
    }
    answer = await client.create(ACCESS_REVIEWS, _review(ACCESS_REVIEWS, spec))
    if (answer.get("status") or {}).get("allowed"):
        return None
    return Refusal(403, f"{name} may not get {path}: an administrator can bind ClusterRole skerry:usage:metrics to it")


async def _user_of(client: Client, token: str) -> Obj | None:
    answer = await client.create(TOKEN_REVIEWS, _review(TOKEN_REVIEWS, {"token": token}))
    status = answer.get("status") or {}
    user: Obj | None = status.get("user") if status.get("authenticated") else None
    return user


def _review(resource: Resource, spec: Obj) -> Obj:
    return {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
