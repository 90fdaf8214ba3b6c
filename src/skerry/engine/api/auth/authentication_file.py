"""The AuthenticationConfiguration given at the start: OpenID Connect issuers, and who may come anonymously.

The file is looked at again when somebody shows credentials (or none), once a second at most: what changed counts from
then on, and a file that cannot be used is logged while the last good one stays. Source: Kubernetes'
`--authentication-config` and its reloading.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from skerry.engine.api.auth.oidc.authenticator import OidcTokens
from skerry.engine.api.auth.oidc.reading import read_settings
from skerry.engine.api.auth.oidc.settings import ConfigurationError, Settings
from skerry.engine.api.auth.tokens import Identified
from skerry.engine.api.request import Request, User
from skerry.kube.clock import Clock
from skerry.kube.errors import Unauthorized

log = logging.getLogger(__name__)

_LOOK_AGAIN = 1.0


class AuthenticationFile:
    """Its `tokens` and `anonymous` are authenticators. Raises ConfigurationError, at the start only."""

    def __init__(self, path: Path, audiences: tuple[str, ...], clock: Clock) -> None:
        self._path = path
        self._audiences = audiences
        self._clock = clock
        self._seen = self._state()
        self._looked = monotonic()
        self._closing: set[asyncio.Task[None]] = set()
        self._settings = self._read()
        self._oidc = OidcTokens(self._settings.issuers, audiences, clock)

    def start(self) -> None:
        """Fetch the issuers' keys ahead; nobody waits for them."""
        self._oidc.start()

    async def close(self) -> None:
        """Stop fetching."""
        await self._oidc.close()
        await asyncio.gather(*self._closing)

    async def tokens(self, token: str, audiences: Sequence[str]) -> Identified | None:
        """The token authenticator. Raises InvalidToken."""
        self._look()
        return await self._oidc(token, audiences)

    async def anonymous(self, request: Request) -> User | None:
        """The last authenticator: it knows nobody. Raises Unauthorized where anonymous users may not be."""
        self._look()
        anonymous = self._settings.anonymous
        if not anonymous.enabled or (anonymous.paths is not None and request.path not in anonymous.paths):
            raise Unauthorized("Unauthorized")
        return None

    def _look(self) -> None:
        """Take over a changed file."""
        if monotonic() - self._looked < _LOOK_AGAIN:
            return
        self._looked, state = monotonic(), self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._settings = self._read()
        except ConfigurationError as error:
            log.error("%s is not used, what was there before is: %s", self._path, error)
            return
        closing = asyncio.create_task(self._oidc.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._oidc = OidcTokens(self._settings.issuers, self._audiences, self._clock)
        self._oidc.start()
        log.info("%s has been read again", self._path)

    def _read(self) -> Settings:
        try:
            text = self._path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self._path} cannot be read: {error}") from None
        try:
            return read_settings(text, self._audiences)
        except ConfigurationError as error:
            raise ConfigurationError(f"{self._path}: {error}") from None

    def _state(self) -> tuple[int, int, int]:
        """Changes whenever the file does."""
        try:
            found = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_ino, found.st_mtime_ns, found.st_size)
