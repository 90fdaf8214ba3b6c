"""Authentication: who asks. Authenticators are tried in order; nobody known is `system:anonymous`.

A client certificate that our CA signed names its user for the whole connection (CN the name, O the groups); an
in-process client brings its identity along. Both stand in `Request.user` already, and nothing is tried after them.
Bearer tokens are for authenticators, which are asked only when a request needs them. What anonymous users
may do is for authorisation to say. Source: Kubernetes' `apiserver/pkg/authentication/request/{union,x509,anonymous}`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from skerry.engine.api.request import NO_EXTRA, Handler, Request, User
from skerry.engine.api.response import Response
from skerry.kube.errors import Unauthorized

AUTHENTICATED, UNAUTHENTICATED, MASTERS = "system:authenticated", "system:unauthenticated", "system:masters"
ANONYMOUS = User("system:anonymous", (UNAUTHENTICATED,))
CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"


@dataclass(frozen=True, slots=True)
class Refused(User):
    """Who shows a client certificate that is not good now; the name says why. Other credentials may still be."""


Authenticator: TypeAlias = Callable[[Request], Awaitable[User | None]]
"""Gives the user of a request, or None when the request has no credentials of its kind, or of another issuer. Raises
Unauthorized for credentials that are wrong; the next authenticator is asked all the same."""


def authenticated(handler: Handler, authenticators: Sequence[Authenticator] = ()) -> Handler:
    """Name the user of every request. Raises Unauthorized for credentials that nobody accepts."""

    async def handle(request: Request) -> Response:
        if type(request.user) is not User:
            request.user = await authenticate(request, authenticators)
        return await handler(request)

    return handle


async def authenticate(request: Request, authenticators: Sequence[Authenticator]) -> User:
    """The first user an authenticator gives, or the anonymous one. Raises Unauthorized for wrong credentials: a request
    with a bearer token that nobody accepts is not anonymous, nor is one with a certificate that is not good now."""
    refused = False
    for authenticator in authenticators:
        try:
            found = await authenticator(request)
        except Unauthorized:
            refused = True
            continue
        if found is not None:
            return found
    if request.user is not None:
        raise Unauthorized(request.user.name)
    if refused or request.headers.get(b"authorization", b"")[:7].lower() == b"bearer ":
        raise Unauthorized("Unauthorized")
    return ANONYMOUS


def user_of_certificate(certificate: Mapping[str, Any] | None) -> User | None:
    """The user of a verified certificate as `ssl.SSLSocket.getpeercert` gives it; None without a name."""
    if not certificate:
        return None
    fields = [field for part in certificate.get("subject", ()) for field in part]
    names = [value for key, value in fields if key == "commonName"]
    groups = (value for key, value in fields if key == "organizationName")
    return user(names[-1], groups) if names and names[-1] else None


def user(name: str, groups: Iterable[str] = (), uid: str = "", extra: Mapping[str, Sequence[str]] = NO_EXTRA) -> User:
    """A known user: also a member of system:authenticated."""
    return User(name, tuple(dict.fromkeys((*groups, AUTHENTICATED))), uid, extra)
