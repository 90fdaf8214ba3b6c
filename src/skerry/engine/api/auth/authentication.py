"""Authentication: a request by nobody known is refused, but for the health checks.

Over TLS a user is the subject of a client certificate that our CA signed (CN the name, O the groups); in-process
clients bring their identity along. Source: Kubernetes' `apiserver/pkg/authentication/request/x509`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from skerry.engine.api.refusals import NotSupported
from skerry.engine.api.request import Handler, Request, User
from skerry.engine.api.response import Response
from skerry.kube.errors import Unauthorized

AUTHENTICATED, MASTERS = "system:authenticated", "system:masters"
_OPEN = ("/healthz", "/livez", "/readyz")


def authenticated(handler: Handler) -> Handler:
    """Let known users through. Raises Unauthorized, and NotSupported for impersonation."""

    async def handle(request: Request) -> Response:
        if request.user is None and not _is_open(request):
            raise Unauthorized("Unauthorized")
        for name in request.headers:
            if name.startswith(b"impersonate-"):
                header = name.decode("latin-1").title()
                raise NotSupported(f"impersonation ({header}) is not supported by this server")
        return await handler(request)

    return handle


def user_of_certificate(certificate: Mapping[str, Any] | None) -> User | None:
    """The user of a verified certificate as `ssl.SSLSocket.getpeercert` gives it; None without a name."""
    if not certificate:
        return None
    fields = [field for part in certificate.get("subject", ()) for field in part]
    names = [value for key, value in fields if key == "commonName"]
    groups = (value for key, value in fields if key == "organizationName")
    return user(names[-1], groups) if names and names[-1] else None


def user(name: str, groups: Iterable[str] = ()) -> User:
    """A known user: also a member of system:authenticated."""
    return User(name, frozenset((*groups, AUTHENTICATED)))


def _is_open(request: Request) -> bool:
    return request.target is None and request.path.startswith(_OPEN)
