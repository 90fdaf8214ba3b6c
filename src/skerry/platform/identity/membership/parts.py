"""Providers elsewhere put together: what asks them, what serves browsers, what reads memberships again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from starlette.routing import BaseRoute

from skerry.kube.controller import Controller
from skerry.kube.records import record
from skerry.platform.base.capability import Context
from skerry.platform.identity.ldap.source import LdapSource
from skerry.platform.identity.login.methods import methods_of
from skerry.platform.identity.membership.controller import MembershipController
from skerry.platform.identity.membership.readiness import ReadinessController
from skerry.platform.identity.membership.source import Source
from skerry.platform.identity.oidc.pages import OidcPages
from skerry.platform.identity.oidc.source import OidcSource


@record
class _Sources:
    oidc: OidcSource
    ldap: LdapSource
    by_type: dict[str, Source] = field(default_factory=dict)


def _sources_of(context: Context) -> _Sources:
    def make() -> _Sources:
        oidc, ldap = OidcSource(context), LdapSource(context)
        return _Sources(oidc, ldap, {"OIDC": oidc, "LDAP": ldap})

    return context.once(_Sources, make)


def membership_controllers(context: Context) -> Sequence[Controller]:
    """What runs."""
    sources = _sources_of(context).by_type
    readiness = ReadinessController(context, sources)
    return [readiness, MembershipController(context, sources, readiness.queue.add)]


def federation_routes(context: Context) -> Sequence[BaseRoute]:
    """Registers the ways to sign in; gives the routes."""
    sources = _sources_of(context)
    methods_of(context).passwords["LDAP"] = sources.ldap
    return OidcPages(context, sources.oidc).routes()
