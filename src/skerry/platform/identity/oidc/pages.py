"""The two addresses of a sign-in elsewhere: where the browser is sent from, and where it comes back to."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from skerry.platform.base.capability import Context
from skerry.platform.base.language import N_
from skerry.platform.identity.login.handling import SIGN_IN, address_of, as_pages
from skerry.platform.identity.login.methods import Provider, methods_of
from skerry.platform.identity.login.pages import Page
from skerry.platform.identity.login.people import SignInRefused
from skerry.platform.identity.login.welcome import START, local_path, welcome
from skerry.platform.identity.membership.source import identity_of
from skerry.platform.identity.oidc.pending import Pending, PendingSignIns
from skerry.platform.identity.oidc.source import OidcSource
from skerry.platform.identity.vouching import Forged, NotVouched, ProviderDown

log = logging.getLogger(__name__)

COOKIE = "__Host-skerry-elsewhere"
_MINUTES = 10


class OidcPages:
    """For browsers."""

    def __init__(self, context: Context, source: OidcSource) -> None:
        self._context, self._source = context, source
        self._methods = methods_of(context)
        self._methods.redirects["OIDC"] = lambda provider: f"/identity/oidc/{provider.name}/start"
        self._pending = PendingSignIns(context.clock)

    def routes(self) -> Sequence[BaseRoute]:
        """Both are GET: that is how browsers are sent about."""
        return [
            Route("/identity/oidc/{provider}/start", as_pages(self._start), methods=["GET"]),
            Route("/identity/oidc/{provider}/callback", as_pages(self._back), methods=["GET"]),
        ]

    async def _start(self, request: Request) -> Response:
        provider = self._provider(request)
        browser = request.cookies.get(COOKIE) or secrets.token_urlsafe(32)
        try:
            party = await self._source.party(provider)
            begun = await party.begin(self._source.redirect_uri(provider.name))
        except (ProviderDown, ValueError) as error:
            return _unavailable(request, provider, error)
        next_ = local_path(request.query_params.get("next", START))
        self._pending.keep(begun, provider.name, next_, address_of(request), browser)
        answer = RedirectResponse(begun.url, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})
        answer.set_cookie(COOKIE, browser, max_age=_MINUTES * 60, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    async def _back(self, request: Request) -> Response:
        provider = self._provider(request)
        query = dict(request.query_params)
        pending = self._pending.take(query.get("state", ""), provider.name, request.cookies.get(COOKIE, ""))
        if pending is None:
            raise SignInRefused(N_("this sign-in was not begun in this browser, or is over: sign in again"))
        try:
            return await self._finished(request, provider, pending, query)
        except Forged as error:
            log.warning("%s: a sign-in was refused: %s", provider.name, error)
            raise SignInRefused(f"{provider.title}: {error}") from None
        except NotVouched as error:
            raise SignInRefused(f"{provider.title}: {error}") from None
        except (ProviderDown, ValueError) as error:
            return _unavailable(request, provider, error)

    async def _finished(
        self, request: Request, provider: Provider, pending: Pending, query: dict[str, str]
    ) -> Response:
        party = await self._source.party(provider)
        told, tokens = await party.finish(pending.begun, query)
        identity = identity_of(provider, told)
        # before there is a session: whoever has one is asked about
        await self._source.keep(provider, told.subject, tokens)
        return await welcome(self._context, request, identity, pending.next)

    def _provider(self, request: Request) -> Provider:
        provider = self._methods.provider(request.path_params["provider"])
        if provider is None or provider.spec.type != "OIDC":
            raise SignInRefused(N_("nobody can sign in there: there is no such provider, or it is disabled"))
        return provider


def _unavailable(request: Request, provider: Provider, error: Exception) -> Response:
    log.warning("%s: nobody can sign in: %s", provider.name, error)
    page = Page(request, "That did not work").warns(
        "%(provider)s does not answer as it should: %(why)s", provider=provider.title, why=str(error)
    )
    return page.leads_to(SIGN_IN, "Back").answer(503)
