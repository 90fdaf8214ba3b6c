"""LDAP as a way to sign in, and as a source of memberships."""

from __future__ import annotations

from skerry.platform.base.capability import Context
from skerry.platform.identity.ldap.directory import Directory
from skerry.platform.identity.login.methods import Provider
from skerry.platform.identity.login.people import Identity, SignInRefused
from skerry.platform.identity.membership.per_provider import PerProvider
from skerry.platform.identity.membership.source import identity_of
from skerry.platform.identity.rules.told import Told
from skerry.platform.identity.types import LdapSettings
from skerry.platform.identity.vouching import NotVouched, ProviderDown


class LdapSource:
    """All providers of the type. A `PasswordMethod` and a `Source`."""

    def __init__(self, context: Context) -> None:
        self._directories: PerProvider[LdapSettings, Directory] = PerProvider(context.client, context.clock, Directory)

    async def check(self, provider: Provider, username: str, password: str) -> Identity | None:
        """Raises SignInRefused, ProviderDown."""
        try:
            told = await (await self._directory(provider)).sign_in(username, password)
        except NotVouched as error:
            raise SignInRefused(str(error)) from None
        except ValueError as error:
            raise ProviderDown(str(error)) from None
        return identity_of(provider, told) if told else None

    async def ready(self, provider: Provider) -> str:
        """Raises ProviderDown, ValueError."""
        await (await self._directory(provider)).check()
        return "people sign in with the directory's password"

    async def now(self, provider: Provider, subject: str) -> Told:
        """Raises NotVouched, ProviderDown, ValueError."""
        return await (await self._directory(provider)).now(subject)

    async def forget(self, provider: Provider, subject: str, *, at_once: bool) -> float | None:
        """Nothing is kept."""
        return None

    async def close(self) -> None:
        """Let connections go."""
        await self._directories.close()

    async def _directory(self, provider: Provider) -> Directory:
        settings = provider.spec.ldap
        if settings is None:
            raise ValueError("spec.ldap is missing")
        return await self._directories.of(provider.name, settings, settings.bind_password)
