"""Whether an ID token is what it has to be: OpenID Connect Core 1.0, 3.1.3.7. The signature is PyJWT's work.

Time is the program's clock, not the library's own, so that everything here has one time. Every check has its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import jwt
from jwt import PyJWK
from jwt.exceptions import InvalidAudienceError, InvalidIssuerError, MissingRequiredClaimError, PyJWTError

from skerry.kube.objects import Obj
from skerry.platform.identity.oidc.metadata import ALGORITHMS
from skerry.platform.identity.vouching import Forged

_CLOCKS_DIFFER = 60  # seconds


def header_of(token: str) -> Obj:
    """A token's header, not yet to be believed. Raises Forged: no token, or an algorithm that is not taken."""
    try:
        header: Obj = jwt.get_unverified_header(token)
    except PyJWTError as error:
        raise Forged(f"the ID token is none: {error}") from None
    if header.get("alg") not in ALGORITHMS:
        raise Forged(f"the ID token is signed by {header.get('alg')!r}: only {', '.join(ALGORITHMS)} are taken")
    return header


def claims_of(token: str, keys: Sequence[PyJWK], issuer: str, client_id: str, now: datetime) -> Obj:
    """What a token says, when one of the keys signed it, the issuer made it for us, and it is not over. Raises
    Forged."""
    algorithm = header_of(token)["alg"]
    claims = _signed(token, [one for one in keys if _can(one, algorithm)], algorithm, issuer, client_id)
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != client_id:
        raise Forged("the ID token is for several, and we are not the one it was made for (azp)")
    if claims.get("azp", client_id) != client_id:
        raise Forged("the ID token was made for another client (azp)")
    _check_time(claims, now)
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise Forged("the ID token does not say who it is about (sub)")
    return claims


def _can(key: PyJWK, algorithm: str) -> bool:
    """Whether a key's kind fits an algorithm: else a public key might be taken for a shared secret."""
    kind = {"R": "RSA", "P": "RSA", "E": "OKP" if algorithm == "EdDSA" else "EC"}[algorithm[0]]
    return key.key_type == kind


def _signed(token: str, keys: Sequence[PyJWK], algorithm: str, issuer: str, client_id: str) -> Obj:
    options: Any = {
        "require": ["iss", "sub", "aud", "exp", "iat"],
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
    }
    for key in keys:
        try:
            claims: Obj = jwt.decode(
                token, key.key, algorithms=[algorithm], audience=client_id, issuer=issuer, options=options
            )
            return claims
        except InvalidAudienceError:
            raise Forged("the ID token is for somebody else (aud)") from None
        except InvalidIssuerError:
            raise Forged("the ID token is of another issuer (iss)") from None
        except MissingRequiredClaimError as error:
            raise Forged(f"the ID token lacks {error.claim}") from None
        except PyJWTError:
            continue
    raise Forged("none of the provider's keys signed the ID token")


def _check_time(claims: Obj, now: datetime) -> None:
    moment = now.timestamp()
    for name in ("exp", "iat", "nbf"):
        if not isinstance(claims.get(name, 0), int | float):
            raise Forged(f"the ID token's {name} is no time")
    if claims["exp"] <= moment - _CLOCKS_DIFFER:
        raise Forged("the ID token is over (exp)")
    if max(claims["iat"], claims.get("nbf", 0)) > moment + _CLOCKS_DIFFER:
        raise Forged("the ID token is of the future (iat, nbf): compare the clocks of this machine and the provider")
