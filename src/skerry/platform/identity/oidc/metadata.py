"""What a provider says of itself: OpenID Connect Discovery 1.0, as much of it as we use. Pure."""

from __future__ import annotations

from skerry.kube.objects import Obj
from skerry.kube.records import record
from skerry.platform.identity.oidc.fetching import is_safe
from skerry.platform.identity.vouching import ProviderDown

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has. `none` and those by a shared secret are never taken."""


@record
class Metadata:
    """Of one issuer."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str = ""
    """"" where there is none: what is said of people is in ID tokens only."""
    revocation: str = ""
    scopes: frozenset[str] = frozenset()
    """That it knows; empty: it does not say."""
    secret_in_body: bool = False
    """How the client shows its secret: in the form, not in the header."""
    names_itself: bool = False
    """Every answer to the browser says `iss` (RFC 9207)."""


def address_of(issuer: str) -> str:
    """Where the document is."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read(document: Obj, issuer: str) -> Metadata:
    """The document of an issuer. Raises ProviderDown: it is somebody else's, or lacks what we need."""
    if document.get("issuer") != issuer:
        raise ProviderDown(
            f"the provider names itself {document.get('issuer')!r}: spec.oidc.issuer has to be exactly that"
        )
    if "S256" not in document.get("code_challenge_methods_supported", ["S256"]):
        raise ProviderDown("the provider cannot do PKCE with S256")
    methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        issuer=issuer,
        authorization=_address(document, "authorization_endpoint"),
        token=_address(document, "token_endpoint"),
        keys=_address(document, "jwks_uri"),
        userinfo=_address(document, "userinfo_endpoint") if document.get("userinfo_endpoint") else "",
        revocation=_address(document, "revocation_endpoint") if document.get("revocation_endpoint") else "",
        scopes=frozenset(one for one in document.get("scopes_supported") or () if isinstance(one, str)),
        secret_in_body="client_secret_basic" not in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(document: Obj, field: str) -> str:
    address = document.get(field)
    if not isinstance(address, str) or not is_safe(address):
        raise ProviderDown(f"the provider's {field} is not an https address: {address!r}")
    return address
