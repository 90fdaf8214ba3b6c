"""How people prove who they are: the contract between the login server and what a provider's type needs.

A type that checks passwords brings a `PasswordMethod`; one that sends the browser elsewhere says where that begins,
and calls `welcome` (see `login.welcome`) when the browser is back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record
from skerry.platform.base.capability import Context
from skerry.platform.identity.login.people import Identity
from skerry.platform.identity.types import IDENTITY_PROVIDERS, IdentityProviderSpec


class PasswordMethod(Protocol):
    """Knows whether a password is right."""

    async def check(self, provider: Provider, username: str, password: str) -> Identity | None:
        """Whose it is; None: of nobody. Raises SignInRefused for what the person should know, OSError when there is
        no telling (a server does not answer)."""
        ...


@record
class Provider:
    """One IdentityProvider, as methods are given it."""

    name: str
    spec: IdentityProviderSpec

    @property
    def title(self) -> str:
        """For people."""
        return self.spec.display_name or self.name


class Methods:
    """By type. One for the whole platform: `methods_of(context)`."""

    def __init__(self, context: Context) -> None:
        self._providers = context.informers.of(IDENTITY_PROVIDERS)
        self.passwords: dict[str, PasswordMethod] = {}
        self.redirects: dict[str, Callable[[Provider], str]] = {}
        """Type to the path where the browser is sent from; `?next=<path>` is added."""

    def providers(self) -> list[Provider]:
        """Those that people can use now, by name."""
        found = (_provider(one) for one in self._providers.list())
        known = {*self.passwords, *self.redirects}
        return sorted(
            (one for one in found if one.spec.type in known and not one.spec.disabled), key=lambda one: one.name
        )

    def provider(self, name: str) -> Provider | None:
        """The one of this name, when people can use it."""
        return next((one for one in self.providers() if one.name == name), None)

    def with_passwords(self) -> Iterable[Provider]:
        """Those that ask for a password here."""
        return [one for one in self.providers() if one.spec.type in self.passwords]

    def elsewhere(self) -> Iterable[tuple[Provider, str]]:
        """Those that people are sent to, and from which path."""
        return [
            (one, self.redirects[one.spec.type](one)) for one in self.providers() if one.spec.type in self.redirects
        ]


def methods_of(context: Context) -> Methods:
    """The one that all parts of the capability share."""
    return context.once(Methods, lambda: Methods(context))


def _provider(one: Obj) -> Provider:
    return Provider(name_of(one), IdentityProviderSpec.of(one["spec"]))
