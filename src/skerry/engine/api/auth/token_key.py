"""The key that signs service-account tokens: the instance's own, ECDSA P-256, kept beside the CA's (`pki`).

Read when the first token is made or shown; until then neither `cryptography` nor `jwt` is imported (13 MB).
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ALGORITHM = "ES256"


class BadSignature(Exception):
    """Not a token that this key signed."""


class TokenKey:
    """Signs claims and checks signatures."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def sign(self, claims: Obj) -> str:
        """A JWT. Raises OSError when the key is gone."""
        from jwt import PyJWS

        headers = {"kid": self.id, "typ": ""}  # Kubernetes' tokens have no type
        return PyJWS().encode(orjson.dumps(claims), self._private, ALGORITHM, headers=headers)

    def verify(self, token: str) -> Obj:
        """The claims of a JWT that this key signed. Raises BadSignature."""
        from jwt import InvalidTokenError, PyJWS

        try:
            claims = orjson.loads(PyJWS().decode(token, self._private.public_key(), [ALGORITHM]))
        except (InvalidTokenError, ValueError) as error:
            raise BadSignature(str(error)) from error
        if not isinstance(claims, dict):
            raise BadSignature("the claims are no object")
        return claims

    @cached_property
    def id(self) -> str:
        """The key's id: the SHA-256 of the public key, as Kubernetes makes it."""
        return key_id(self._private)

    def jwks(self) -> Obj:
        """The public key as a JSON Web Key Set."""
        from jwt.algorithms import ECAlgorithm

        key = ECAlgorithm.to_jwk(self._private.public_key(), as_dict=True)
        return {"keys": [{"use": "sig", "kty": "EC", "kid": self.id, "crv": "P-256", "alg": ALGORITHM, **_point(key)}]}

    @cached_property
    def _private(self) -> EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self._path.read_bytes(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        return key


def key_id(key: EllipticCurvePrivateKey) -> str:
    """base64url of the SHA-256 of the public key's DER (`pkg/serviceaccount.keyIDFromPublicKey`)."""
    import hashlib

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from jwt.utils import base64url_encode

    encoded = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64url_encode(hashlib.sha256(encoded).digest()).decode()


def _point(key: Obj) -> Obj:
    return {"x": key["x"], "y": key["y"]}
