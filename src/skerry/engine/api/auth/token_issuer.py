"""The issuer of service-account tokens: its name, its audiences, its key. One per server.

Neighbours: `subresources.token` and the Secrets of legacy tokens ask it for tokens, `auth.service_accounts` knows them
again, `discovery.issuer` shows the public key.
"""

from __future__ import annotations

from skerry.engine.api.auth.service_account_claims import legacy_claims
from skerry.engine.api.auth.token_key import TokenKey
from skerry.engine.api.pki import TOKENS, Pki
from skerry.engine.config import EngineConfig
from skerry.kube.objects import Obj
from skerry.kube.records import record


@record
class TokenIssuer:
    """Makes tokens. `audiences`: those of the API itself, for requests that name none."""

    name: str
    audiences: tuple[str, ...]
    key: TokenKey

    def sign(self, claims: Obj) -> str:
        """A token that says this."""
        return self.key.sign(claims)

    def legacy(self, account: Obj, secret: Obj) -> str:
        """A token that lives as long as the Secret it is kept in."""
        return self.key.sign(legacy_claims(account, secret))


def issuer_of(config: EngineConfig) -> TokenIssuer:
    """The instance's issuer, called as kubeadm calls its own: pods find the API under this name."""
    name = f"https://kubernetes.default.svc.{config.cluster_domain}"
    return TokenIssuer(name, (name,), TokenKey(Pki(config.paths.pki).key(TOKENS)))
