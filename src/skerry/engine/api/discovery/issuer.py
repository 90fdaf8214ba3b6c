"""Discovery of the service-account issuer, so that others can check our tokens: OpenID configuration and public keys.

Source: Kubernetes' `pkg/serviceaccount/openidmetadata.go`, `pkg/routes/openidmetadata.go`.
"""

from __future__ import annotations

import orjson

from skerry.engine.api.auth.token_issuer import TokenIssuer
from skerry.engine.api.auth.token_key import ALGORITHM
from skerry.engine.api.response import Raw

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"


def configuration(issuer: TokenIssuer, address: str) -> Raw:
    """The discovery document. `address`: host:port under which others reach the API."""
    document = {
        "issuer": issuer.name,
        "jwks_uri": f"https://{address}{KEYS}",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }
    return Raw(orjson.dumps(document))


def keys(issuer: TokenIssuer) -> Raw:
    """The public keys."""
    return Raw(orjson.dumps(issuer.key.jwks()), "application/jwk-set+json")
