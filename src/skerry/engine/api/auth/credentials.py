"""The credentials a server knows besides client certificates, put together once: what it issues and what it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.engine.api.auth.authentication import Authenticator
from skerry.engine.api.auth.service_accounts import ServiceAccountTokens
from skerry.engine.api.auth.token_issuer import TokenIssuer, issuer_of
from skerry.engine.api.auth.tokens import Tokens, bearer
from skerry.engine.config import EngineConfig
from skerry.engine.store.contract import Store
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.engine.api.auth.authentication_file import AuthenticationFile


@record
class Credentials:
    """`issuer` makes service-account tokens; `tokens` says whose a bearer token is."""

    issuer: TokenIssuer
    tokens: Tokens
    file: AuthenticationFile | None = None
    """Further issuers, and who may come anonymously; None: no issuers, everybody."""

    def authenticators(self) -> tuple[Authenticator, ...]:
        """For requests, in the order they are tried."""
        return (bearer(self.tokens),) if self.file is None else (bearer(self.tokens), self.file.anonymous)

    def start(self) -> None:
        """Get ready what takes time; nobody waits for it."""
        if self.file is not None:
            self.file.start()

    async def close(self) -> None:
        """Stop what `start` began. Harmless twice."""
        if self.file is not None:
            await self.file.close()


def credentials_of(config: EngineConfig, store: Store) -> Credentials:
    """Those of an instance. Raises ConfigurationError for an authentication configuration that cannot be used."""
    issuer = issuer_of(config)
    accounts = ServiceAccountTokens(store, issuer, config.clock)
    if config.authentication_config is None:
        return Credentials(issuer, Tokens((accounts,), issuer.audiences))
    from skerry.engine.api.auth.authentication_file import AuthenticationFile

    file = AuthenticationFile(config.authentication_config, issuer.audiences, config.clock)
    return Credentials(issuer, Tokens((accounts, file.tokens), issuer.audiences), file)
