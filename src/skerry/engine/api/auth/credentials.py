"""The credentials a server knows besides client certificates, put together once: what it issues and what it accepts."""

from __future__ import annotations

from dataclasses import dataclass

from skerry.engine.api.auth.authentication import Authenticator
from skerry.engine.api.auth.service_accounts import ServiceAccountTokens
from skerry.engine.api.auth.token_issuer import TokenIssuer, issuer_of
from skerry.engine.api.auth.tokens import Tokens, bearer
from skerry.engine.config import EngineConfig
from skerry.engine.store.contract import Store


@dataclass(frozen=True, slots=True)
class Credentials:
    """`issuer` makes service-account tokens; `tokens` says whose a bearer token is."""

    issuer: TokenIssuer
    tokens: Tokens

    def authenticators(self) -> tuple[Authenticator, ...]:
        """For requests, in the order they are tried."""
        return (bearer(self.tokens),)


def credentials_of(config: EngineConfig, store: Store) -> Credentials:
    """Those of an instance."""
    issuer = issuer_of(config)
    accounts = ServiceAccountTokens(store, issuer, config.clock)
    return Credentials(issuer, Tokens((accounts,), issuer.audiences))
