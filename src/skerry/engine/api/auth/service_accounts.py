"""Tokens of service accounts: made by this server's key, good while the objects they are bound to exist.

A token that was good once is remembered, so that a busy client costs a few look-ups instead of a signature:
what can end a token (time, its objects, its audience) is looked at every time. Source: Kubernetes'
`pkg/serviceaccount/{jwt,claims,legacy}.go`.
"""

from __future__ import annotations

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from skerry.engine.api.auth.service_account_claims import (
    LEEWAY,
    LEGACY_ISSUER,
    Claimed,
    Reference,
    check_times,
    read_bound,
    read_legacy,
    stale,
)
from skerry.engine.api.auth.token_issuer import TokenIssuer
from skerry.engine.api.auth.token_key import BadSignature
from skerry.engine.api.auth.tokens import Identified, InvalidToken, quoted, unverified
from skerry.engine.store.contract import Entry, Key, Store
from skerry.kube.clock import Clock, parse_time
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of, namespace_of, uid_of

_REMEMBERED = 4096
"""Tokens; the one not seen for longest goes first."""
_LONGEST = 8192
"""Characters; ours have some 1,200."""
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"


@dataclass(slots=True)
class _Known:
    """A token whose signature was good."""

    claimed: Claimed
    seen: dict[Key, int] = field(default_factory=dict)
    """Revisions of its objects at which they were found in order and not being deleted."""


class ServiceAccountTokens:
    """The `TokenAuthenticator` of this server's own tokens."""

    def __init__(self, store: Store, issuer: TokenIssuer, clock: Clock) -> None:
        self._store = store
        self._issuer = issuer
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def __call__(self, token: str, audiences: Sequence[str]) -> Identified | None:
        """Whose it is. Raises InvalidToken."""
        known = self._known.get(token)
        if known is None:
            known = self._read(token)
            if known is None:
                return None
        else:
            self._known.move_to_end(token)
        good_for = self._audiences_of(known.claimed, audiences)
        now = self._clock.now().timestamp()
        self._check(token, known, now)
        if token not in self._known:
            self._remember(token, known)
        return Identified(known.claimed.user, good_for, stale(known.claimed, now))

    def _read(self, token: str) -> _Known | None:
        """Raises InvalidToken for one that says it is ours and is not."""
        claims = unverified(token) if len(token) <= _LONGEST else None
        if claims is None or claims.get("iss") not in (self._issuer.name, LEGACY_ISSUER):
            return None
        try:
            claims = self._issuer.key.verify(token)
        except BadSignature:
            return None  # another server may have the same issuer's name
        return _Known(read_legacy(claims) if claims["iss"] == LEGACY_ISSUER else read_bound(claims))

    def _audiences_of(self, claimed: Claimed, wanted: Sequence[str]) -> tuple[str, ...]:
        has = claimed.audiences or self._issuer.audiences
        good_for = tuple(audience for audience in has if audience in wanted)
        if not good_for:
            why = f"token audiences {quoted(has)} is invalid for the target audiences {quoted(wanted)}"
            raise InvalidToken(why)
        return good_for

    def _check(self, token: str, known: _Known, now: float) -> None:
        """Raises InvalidToken when time or an object has ended it."""
        check_times(known.claimed, now)
        for reference in known.claimed.references:
            entry = self._store.get(reference.key)
            if entry is not None and known.seen.get(reference.key) == entry.revision:
                continue
            obj = _existing(reference, entry, now)
            if known.claimed.legacy and reference.sort == "secret":
                check_legacy_secret(obj, token)
            if entry is not None and not is_deleting(obj):
                known.seen[reference.key] = entry.revision

    def _remember(self, token: str, known: _Known) -> None:
        self._known[token] = known
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _existing(reference: Reference, entry: Entry | None, now: float) -> Obj:
    """The object a token hangs on. Raises InvalidToken when the token died with it."""
    account = reference.sort == "serviceaccount"
    where = f"{reference.key.namespace}/{reference.key.name}"
    if entry is None:
        gone = f'serviceaccounts "{reference.key.name}" not found'
        raise InvalidToken(gone if account else "service account token has been invalidated")
    obj = entry.shared()
    deleted = obj["metadata"].get("deletionTimestamp")
    if deleted and parse_time(deleted).timestamp() < now - LEEWAY:
        gone = f"service account {where} has been deleted"
        raise InvalidToken(gone if account else "service account token has been invalidated")
    if reference.uid and uid_of(obj) != reference.uid:
        what = "service account" if account else reference.sort
        claim = "claim" if account else f"service account {reference.sort} ref claim"
        raise InvalidToken(f"{what} UID ({uid_of(obj)}) does not match {claim} ({reference.uid})")
    return obj


def check_legacy_secret(secret: Obj, token: str) -> None:
    """Raises InvalidToken for a token that is not the one its Secret holds, or was declared invalid."""
    if (secret.get("data") or {}).get("token") != b64encode(token.encode()).decode():
        raise InvalidToken("Token does not match server's copy")
    if since := labels_of(secret).get(INVALID_SINCE):
        where = f"{namespace_of(secret)}/{name_of(secret)}"
        raise InvalidToken(f"the token in secret {where} was marked invalid on {since}")
