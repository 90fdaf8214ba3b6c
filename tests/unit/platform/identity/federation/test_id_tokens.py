"""Attacks on ID tokens: each is refused, and says why."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt import PyJWK
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from skerry.platform.identity.oidc.checking import claims_of
from skerry.platform.identity.vouching import Forged

ISSUER, CLIENT = "https://idp.example", "skerry"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
_KEY = rsa.generate_private_key(65537, 2048)
_OTHERS = rsa.generate_private_key(65537, 2048)
_CURVE = ec.generate_private_key(ec.SECP256R1())
_PEM = _KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)  # fmt: skip


def keys() -> list[PyJWK]:
    made = (RSAAlgorithm.to_jwk(_KEY.public_key(), as_dict=True), ECAlgorithm.to_jwk(_CURVE.public_key(), as_dict=True))
    return [PyJWK.from_dict({**one, "kid": str(number)}) for number, one in enumerate(made)]


def claims(**others: Any) -> dict[str, Any]:
    moment = int(NOW.timestamp())
    whole = {"iss": ISSUER, "sub": "1", "aud": CLIENT, "iat": moment, "exp": moment + 300, **others}
    return {name: value for name, value in whole.items() if value is not None}


def token(key: Any = _KEY, algorithm: str = "RS256", **others: Any) -> str:
    return jwt.encode(claims(**others), key, algorithm)


def by_hand(header: dict[str, Any], signature: bytes, **others: Any) -> str:
    parts = (orjson.dumps(header), orjson.dumps(claims(**others)), signature)
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def signed_by_the_public_key() -> str:
    import hashlib
    import hmac

    unsigned = by_hand({"alg": "HS256", "typ": "JWT"}, b"").rstrip(".")
    signature = hmac.new(_PEM, unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def changed() -> str:
    header, _, signature = token().split(".")
    body = base64.urlsafe_b64encode(orjson.dumps(claims(sub="2"))).rstrip(b"=").decode()
    return f"{header}.{body}.{signature}"


def judged(shown: str) -> Any:
    return claims_of(shown, keys(), ISSUER, CLIENT, NOW)


def test_a_good_one_is_believed() -> None:
    assert judged(token())["sub"] == "1"
    assert judged(token(_CURVE, "ES256", aud=[CLIENT, "another"], azp=CLIENT))["sub"] == "1"
    assert judged(token(exp=int(NOW.timestamp()) - 30))["sub"] == "1", "clocks differ a little"


@pytest.mark.parametrize(
    ("attack", "why"),
    [
        (lambda: by_hand({"alg": "none"}, b""), "signed by 'none'"),
        (lambda: by_hand({"alg": "None"}, b""), "signed by 'None'"),
        (signed_by_the_public_key, "signed by 'HS256'"),
        (lambda: by_hand({"alg": "RS256"}, b""), "none of the provider's keys"),
        (changed, "none of the provider's keys"),
        (lambda: token(_OTHERS), "none of the provider's keys"),
        (lambda: token(ec.generate_private_key(ec.SECP256R1()), "ES256"), "none of the provider's keys"),
        (lambda: token(aud="another"), r"for somebody else \(aud\)"),
        (lambda: token(aud=[CLIENT, "another"]), r"not the one it was made for \(azp\)"),
        (lambda: token(azp="another"), r"another client \(azp\)"),
        (lambda: token(iss="https://idp.example.evil"), r"another issuer \(iss\)"),
        (lambda: token(exp=int(NOW.timestamp()) - 61), r"is over \(exp\)"),
        (lambda: token(iat=int(NOW.timestamp()) + 61), r"of the future \(iat, nbf\)"),
        (lambda: token(nbf=int(NOW.timestamp()) + 61), r"of the future \(iat, nbf\)"),
        (lambda: token(exp=None), "lacks exp"),
        (lambda: token(aud=None), "lacks aud"),
        (lambda: token(exp="tomorrow"), "exp is no time"),
        (lambda: token(sub=""), r"who it is about \(sub\)"),
        (lambda: "no.token.atall", "the ID token is none"),
        (lambda: "", "the ID token is none"),
    ],
)
def test_attacks_are_refused_by_name(attack: Callable[[], str], why: str) -> None:
    with pytest.raises(Forged, match=why):
        judged(attack())
