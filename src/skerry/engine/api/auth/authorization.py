"""Authorisation as a wrapper: lets through what the authorizer allows. Members of system:masters may do everything.

Neighbours: `access` (what is asked), `rbac.authorizer` and `node_authorizer` (who decides). The audit log learns the
decision and its reason through the request's annotations.
"""

from __future__ import annotations

from skerry.engine.api.auth.access import NO_OPINION, Access, Authorizer, Decision, access_of, refusal
from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.api.request import Handler, Request
from skerry.engine.api.response import Response

DECISION, REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_MASTERS_MAY = Decision(allowed=True)
_UPGRADES = frozenset({"exec", "attach", "portforward"})
"""Subresources of pods that an upgrade opens with GET although they create something (KEP-5593, on since 1.35)."""


def authorised(handler: Handler, authorizer: Authorizer) -> Handler:
    """Let through what the authorizer allows. Raises Forbidden."""

    async def handle(request: Request) -> Response:
        access = access_of(request)
        authorise(request, access, authorizer)
        if request.upgrade:
            _authorise_stream(request, access, authorizer)
        return await handler(request)

    return handle


def authorised_upgrade(handler: Handler, authorizer: Authorizer) -> Handler:
    """The same for WebSockets: as with other upgrades, who opens a stream into a pod must be allowed to create it."""

    async def handle(request: Request) -> Response:
        access = access_of(request)
        authorise(request, access, authorizer)
        _authorise_stream(request, access, authorizer)
        return await handler(request)

    return handle


def _authorise_stream(request: Request, access: Access, authorizer: Authorizer) -> None:
    if access.resource == "pods" and access.subresource in _UPGRADES and access.verb == "get":
        authorise(request, access._replace(verb="create"), authorizer)


def authorise(request: Request, access: Access, authorizer: Authorizer) -> None:
    """Note the decision on the request. Raises Forbidden."""
    allowed, reason = authorizer(access)
    request.annotations[DECISION] = "allow" if allowed else "forbid"
    request.annotations[REASON] = reason
    if not allowed:
        raise refusal(access, reason)


def masters(access: Access) -> Decision:
    """The authorizer that is asked first."""
    return _MASTERS_MAY if MASTERS in access.user.groups else NO_OPINION
