"""What service-account tokens say: building the claims, and reading them back. Pure.

Source: Kubernetes' `pkg/serviceaccount/claims.go` (bound tokens), `legacy.go` (tokens kept in Secrets).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from skerry.engine.api.auth.authentication import CREDENTIAL_ID, user
from skerry.engine.api.auth.tokens import InvalidToken
from skerry.engine.api.request import NO_QUERY, User
from skerry.engine.store.contract import Key
from skerry.kube.objects import Obj, name_of, namespace_of, uid_of
from skerry.kube.records import record

LEEWAY = 60
"""Seconds a clock may be off, and a deleted object's tokens live on."""
LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY = "kubernetes.io/serviceaccount/"
STALE = "authentication.k8s.io/stale-token"
_EXTRA = "authentication.kubernetes.io/"
_PLURALS = {"pod": "pods", "secret": "secrets", "node": "nodes"}


@record
class Grant:
    """A token to be made. Times in seconds since the epoch; `warn_after` 0: none."""

    account: Obj
    issuer: str
    audiences: Sequence[str]
    now: int
    expires: int
    warn_after: int = 0
    bound: tuple[str, Obj] | None = None
    """"pod", "secret" or "node", and that object."""
    node: Obj | None = None
    """The node of the pod the token is bound to."""


@record
class Reference:
    """An object a token lives and dies with."""

    sort: str
    key: Key
    uid: str


@record
class Claimed:
    """A token's claims, understood. Times in seconds since the epoch; None: not limited."""

    user: User
    audiences: tuple[str, ...]
    """() for legacy tokens: those of the API itself."""
    references: tuple[Reference, ...]
    not_before: float | None = None
    expires: float | None = None
    warn_after: float | None = None
    legacy: bool = False


def claims_of(grant: Grant) -> Obj:
    """The claims of a bound token."""
    namespace = namespace_of(grant.account)
    private: Obj = {"namespace": namespace, "serviceaccount": _named(grant.account)}
    if grant.bound is not None:
        private[grant.bound[0]] = _named(grant.bound[1])
    if grant.node is not None:
        private["node"] = {key: value for key, value in _named(grant.node).items() if value}
    if grant.warn_after:
        private["warnafter"] = grant.warn_after
    return {
        "aud": list(grant.audiences),
        "exp": grant.expires,
        "iat": grant.now,
        "iss": grant.issuer,
        "jti": str(uuid.uuid4()),
        "kubernetes.io": private,
        "nbf": grant.now,
        "sub": username(namespace, name_of(grant.account)),
    }


def legacy_claims(account: Obj, secret: Obj) -> Obj:
    """The claims of a token that is kept in a Secret and never expires."""
    return {
        "iss": LEGACY_ISSUER,
        f"{_LEGACY}namespace": namespace_of(account),
        f"{_LEGACY}secret.name": name_of(secret),
        f"{_LEGACY}service-account.name": name_of(account),
        f"{_LEGACY}service-account.uid": uid_of(account),
        "sub": username(namespace_of(account), name_of(account)),
    }


def username(namespace: str, name: str) -> str:
    """`system:serviceaccount:<namespace>:<name>`."""
    return f"system:serviceaccount:{namespace}:{name}"


def read_bound(claims: Obj) -> Claimed:
    """Raises InvalidToken for claims that no token of ours has."""
    try:
        private, audiences = claims["kubernetes.io"], claims["aud"]
        account = _reference("serviceaccount", private["serviceaccount"], private["namespace"])
        bound = [_reference(sort, private[sort], private["namespace"]) for sort in _bound_sorts(private)]
        return Claimed(
            _user(account, private, claims.get("jti")),
            (audiences,) if isinstance(audiences, str) else tuple(audiences),
            (account, *bound),
            claims.get("nbf"),
            claims["exp"],
            private.get("warnafter"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidToken("service account token claims could not be validated") from error


def read_legacy(claims: Obj) -> Claimed:
    """Raises InvalidToken for claims that do not fit together."""
    named: dict[str, str] = {}
    for part in ("namespace", "secret.name", "service-account.name", "service-account.uid"):
        value = claims.get(f"{_LEGACY}{part}")
        if not value or not isinstance(value, str):
            raise InvalidToken(f"{_LEGACY}{part} claim is missing")
        named[part] = value
    namespace, name = named["namespace"], named["service-account.name"]
    if claims.get("sub") != username(namespace, name):
        raise InvalidToken("sub claim does not match the service account")
    account = _reference("serviceaccount", {"name": name, "uid": named["service-account.uid"]}, namespace)
    secret = Reference("secret", Key("secrets", namespace, named["secret.name"]), "")
    return Claimed(_user(account, {}, None), (), (account, secret), legacy=True)


def check_times(claimed: Claimed, now: float) -> None:
    """Raises InvalidToken when it is over, or has not begun."""
    if claimed.expires is not None and now > claimed.expires + LEEWAY:
        raise InvalidToken("service account token has expired")
    if claimed.not_before is not None and now < claimed.not_before - LEEWAY:
        raise InvalidToken("service account token is not valid yet")


def stale(claimed: Claimed, now: float) -> Mapping[str, str]:
    """What the audit log says of a client that uses a token longer than it asked for: it should read it again."""
    if claimed.warn_after is None or now <= claimed.warn_after:
        return NO_QUERY
    late = int(now - claimed.warn_after)
    return {STALE: f"subject: {claimed.user.name}, seconds after warning threshold: {late}"}


def _bound_sorts(private: Obj) -> list[str]:
    """What the token hangs on beside its account. The node of a pod-bound token is only told, not looked up."""
    sorts = [sort for sort in ("pod", "secret") if private.get(sort)]
    return sorts or [sort for sort in ("node",) if private.get(sort)]


def _reference(sort: str, named: dict[str, str], namespace: str) -> Reference:
    plural = _PLURALS.get(sort, "serviceaccounts")
    return Reference(sort, Key(plural, "" if sort == "node" else namespace, named["name"]), named["uid"])


def _user(account: Reference, private: Obj, token_id: Any) -> User:
    namespace = account.key.namespace
    extra: dict[str, tuple[str, ...]] = {CREDENTIAL_ID: (f"JTI={token_id}",)} if token_id else {}
    for sort in ("node", "pod"):
        named = private.get(sort) or {}
        for part in ("name", "uid"):
            if named.get(part):
                extra[f"{_EXTRA}{sort}-{part}"] = (str(named[part]),)
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return user(username(namespace, account.key.name), groups, account.uid, extra)


def _named(obj: Obj) -> dict[str, str]:
    return {"name": name_of(obj), "uid": uid_of(obj)}
