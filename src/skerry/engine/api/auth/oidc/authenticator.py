"""The `TokenAuthenticator` of all configured issuers: signature, times, audience, then the user.

A token that was good is remembered for some seconds, so that a busy client costs little; after that its keys count
again. Source: Kubernetes' `oidc.go`, `token/cache` (ten seconds).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from skerry.engine.api.auth.oidc.keys import IssuerKeys, Unavailable
from skerry.engine.api.auth.oidc.mapping import user_of
from skerry.engine.api.auth.oidc.settings import Issuer
from skerry.engine.api.auth.tokens import Identified, InvalidToken, quoted, unverified
from skerry.engine.api.request import User
from skerry.kube.clock import Clock

ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"]
_REMEMBERED, _SECONDS = 4096, 10.0
_LONGEST = 64 * 1024
_NOT_BEFORE_LEEWAY = 300


class _Good(NamedTuple):
    user: User
    until: float


class OidcTokens:
    """`audiences`: those of the API; tokens of these issuers are for nothing else."""

    def __init__(self, issuers: Sequence[Issuer], audiences: Sequence[str], clock: Clock) -> None:
        self._issuers = {issuer.url: (issuer, IssuerKeys(issuer)) for issuer in issuers}
        self._audiences = audiences
        self._clock = clock
        self._good: OrderedDict[str, _Good] = OrderedDict()

    def start(self) -> None:
        """Fetch all keys ahead; nobody waits for it."""
        for _, keys in self._issuers.values():
            keys.refresh()

    async def close(self) -> None:
        """Stop fetching."""
        await asyncio.gather(*(keys.close() for _, keys in self._issuers.values()))

    async def __call__(self, token: str, audiences: Sequence[str]) -> Identified | None:
        """Whose it is. Raises InvalidToken."""
        wanted = tuple(one for one in self._audiences if one in audiences)
        if not wanted or len(token) > _LONGEST:
            return None
        good = self._good.get(token)
        if good is None or good.until <= self._clock.now().timestamp():
            good = await self._read(token)
            if good is None:
                return None
            self._remember(token, good)
        return Identified(good.user, wanted)

    async def _read(self, token: str) -> _Good | None:
        claimed = unverified(token)
        known = self._issuers.get(str(claimed.get("iss"))) if claimed is not None else None
        if known is None:
            return None
        issuer, keys = known
        claims = await _verified(token, keys)
        now = self._clock.now().timestamp()
        ends = _check_claims(issuer, claims, now)
        return _Good(user_of(issuer, claims), min(ends, now + _SECONDS))

    def _remember(self, token: str, good: _Good) -> None:
        self._good[token] = good
        self._good.move_to_end(token)
        if len(self._good) > _REMEMBERED:
            self._good.popitem(last=False)


async def _verified(token: str, keys: IssuerKeys) -> dict[str, Any]:
    """The claims, their signature checked. Raises InvalidToken."""
    from jwt import InvalidTokenError, PyJWS, get_unverified_header

    try:
        candidates = await keys.candidates(get_unverified_header(token).get("kid"))
    except Unavailable as error:
        raise InvalidToken(f"oidc: authenticator not initialized: {error}") from error
    except InvalidTokenError as error:
        raise InvalidToken(f"oidc: verify token: {error}") from error
    for key in candidates:
        try:
            claims = orjson.loads(PyJWS().decode(token, key.key, _algorithms_of(key.algorithm_name, key.key_type)))
        except (InvalidTokenError, ValueError, TypeError):
            continue
        if isinstance(claims, dict):
            return claims
    raise InvalidToken("oidc: verify token: failed to verify id token signature")


def _algorithms_of(declared: str | None, kind: str | None) -> list[str]:
    """What a key may be used with: RSA keys with several, a curve with its own."""
    if kind == "RSA":
        return [name for name in ALGORITHMS if name[:2] in ("RS", "PS")]
    return [declared] if declared in ALGORITHMS else []


def _check_claims(issuer: Issuer, claims: dict[str, Any], now: float) -> float:
    """When it ends. Raises InvalidToken when it is over, not begun, or for somebody else."""
    ends, begins, audience = claims.get("exp"), claims.get("nbf"), claims.get("aud")
    if not isinstance(ends, int | float) or ends <= now:
        raise InvalidToken("oidc: verify token: oidc: token is expired")
    if isinstance(begins, int | float) and begins > now + _NOT_BEFORE_LEEWAY:
        raise InvalidToken("oidc: verify token: oidc: current time before the nbf (not before) time")
    listed = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if not any(one in issuer.audiences for one in listed):
        expected = f"oidc: expected audience in {quoted(sorted(issuer.audiences))} got {quoted(map(str, listed))}"
        raise InvalidToken(f"oidc: verify token: {expected}")
    return float(ends)
