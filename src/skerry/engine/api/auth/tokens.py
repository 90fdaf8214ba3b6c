"""Bearer tokens: found in a request, shown to whoever may know them, one after the other.

A token comes in the `Authorization` header or, from browsers that cannot set one, as a WebSocket sub-protocol. Each
`TokenAuthenticator` knows the tokens of its issuers only. TokenReview asks the same ones. Source: Kubernetes'
`apiserver/pkg/authentication/{request/bearertoken,request/websocket,token/union}`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias

import orjson

from skerry.engine.api.auth.authentication import Authenticator
from skerry.engine.api.request import NO_QUERY, Request, User
from skerry.kube.errors import Unauthorized
from skerry.kube.records import record

BEARER_PROTOCOL = "base64url.bearer.authorization.k8s.io."


class InvalidToken(Exception):
    """A token of an issuer we know that is not (or no longer) good. The message is for logs and TokenReview."""


@record
class Identified:
    """Whose token it is, and for which of the audiences asked for."""

    user: User
    audiences: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=lambda: NO_QUERY)
    """For the audit log."""


TokenAuthenticator: TypeAlias = Callable[[str, Sequence[str]], Awaitable[Identified | None]]
"""Given a token and the audiences it may be for (one of them must be among its own): None for a token of
somebody else's. Raises InvalidToken."""


@record
class Tokens:
    """All token authenticators of a server. `audiences`: what the API itself is called in tokens."""

    authenticators: Sequence[TokenAuthenticator]
    audiences: tuple[str, ...]

    async def identify(self, token: str, audiences: Sequence[str] = ()) -> Identified:
        """Whose token it is; `audiences`: the API's own when empty. Raises InvalidToken with all that was said."""
        said = ["invalid bearer token"]
        for authenticator in self.authenticators:
            try:
                found = await authenticator(token, audiences or self.audiences)
            except InvalidToken as error:
                said.append(str(error))
                continue
            if found is not None:
                return found
        raise InvalidToken(said[0] if len(said) == 1 else f"[{', '.join(said)}]")


def bearer(tokens: Tokens) -> Authenticator:
    """The authenticator of requests that carry a token. Raises Unauthorized."""

    async def authenticate(request: Request) -> User | None:
        token = token_of(request)
        if token is None:
            return None
        try:
            found = await tokens.identify(token)
        except InvalidToken as error:
            raise Unauthorized("Unauthorized") from error
        request.annotations.update(found.annotations)
        return found.user

    return authenticate


def token_of(request: Request) -> str | None:
    """The token a request carries, None without one. Raises Unauthorized for a sub-protocol that is not one."""
    scheme, _, token = request.headers.get(b"authorization", b"").decode("latin-1").strip().partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    offered = request.headers.get(b"sec-websocket-protocol")
    return _of_subprotocol(offered.decode("latin-1")) if offered else None


def _of_subprotocol(offered: str) -> str | None:
    names = [name.strip() for name in offered.split(",")]
    encoded = [name.removeprefix(BEARER_PROTOCOL) for name in names if name.startswith(BEARER_PROTOCOL)]
    if not encoded:
        return None
    if len(encoded) > 1 or len(names) == 1:  # a server must choose one of the protocols offered: the token is none
        raise Unauthorized("Unauthorized")
    try:
        return decode_segment(encoded[0]).decode()
    except ValueError as error:
        raise Unauthorized("Unauthorized") from error


def decode_segment(text: str) -> bytes:
    """base64url without padding. Raises ValueError."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def unverified(token: str) -> dict[str, Any] | None:
    """What a JWT claims, believed by nobody yet: to find out whose keys it must be held against. None: no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = orjson.loads(decode_segment(parts[1]))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def quoted(names: Iterable[str]) -> str:
    """`["a" "b"]`, as Go prints a list of strings."""
    return f"[{' '.join(orjson.dumps(name).decode() for name in names)}]"
