"""Authorisation: members of system:masters may do everything, everybody else nothing, in Kubernetes' words.

A `Policy` says yes or no; role-based access control will be another one. Source of the wording: Kubernetes'
`apiserver/pkg/endpoints/handlers/responsewriters/errors.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from skerry.engine.api.auth.authentication import MASTERS
from skerry.engine.api.request import Handler, Request, Target
from skerry.engine.api.response import Response
from skerry.kube.errors import Forbidden, forbidden

Policy: TypeAlias = Callable[[Request], bool]
PUBLIC = frozenset({"/healthz", "/livez", "/readyz", "/version", "/version/"})
"""What everybody may get, known or not (Kubernetes' role system:public-info-viewer)."""


def masters_only(request: Request) -> bool:
    """Yes to system:masters; to everybody the public paths."""
    return MASTERS in request.who.groups or (request.verb == "get" and request.path in PUBLIC)


def authorised(handler: Handler, policy: Policy) -> Handler:
    """Let through what the policy allows. Raises Forbidden."""

    async def handle(request: Request) -> Response:
        if not policy(request):
            raise refusal(request)
        return await handler(request)

    return handle


def refusal(request: Request) -> Forbidden:
    """The 403 for a request."""
    name = request.who.name
    if request.target is None:
        return Forbidden(f'forbidden: User "{name}" cannot {request.verb} path "{request.path}"')
    target = request.target
    why = f'User "{name}" cannot {request.verb} resource "{_resource(target)}" in API group '
    why += f'"{target.kind.resource.group}" {_where(target)}'
    return forbidden(target.group_resource, target.name, why)


def _resource(target: Target) -> str:
    plural = target.kind.resource.plural
    return f"{plural}/{target.subresource}" if target.subresource else plural


def _where(target: Target) -> str:
    return f'in the namespace "{target.namespace}"' if target.namespace else "at the cluster scope"
