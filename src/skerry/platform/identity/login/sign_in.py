"""Signing in and out with a browser: the page with all providers, and passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from skerry.platform.base.capability import Context
from skerry.platform.base.language import N_
from skerry.platform.identity.login.attempts import Attempts
from skerry.platform.identity.login.forms import own_fields_of
from skerry.platform.identity.login.handling import SIGN_IN, address_of, as_pages
from skerry.platform.identity.login.methods import Methods, Provider, methods_of
from skerry.platform.identity.login.often import TooMany
from skerry.platform.identity.login.own_sessions import SIGN_OUT
from skerry.platform.identity.login.pages import STYLE, Field, Page
from skerry.platform.identity.login.people import Identity, SignInRefused, people_of
from skerry.platform.identity.login.welcome import COOKIE, START, close_former, local_path, welcome


class SignInPages:
    """For browsers."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._methods: Methods = methods_of(context)
        self._attempts = Attempts(people_of(context), context.clock)

    def routes(self) -> Sequence[BaseRoute]:
        """GET and POST of the pages here."""
        return [
            Route(SIGN_IN, as_pages(self._page), methods=["GET"]),
            Route(SIGN_IN, as_pages(self._sign_in), methods=["POST"]),
            Route(SIGN_OUT, as_pages(self._sign_out), methods=["POST"]),
            Route("/identity/style.css", _style, methods=["GET"]),
        ]

    async def _page(self, request: Request) -> Response:
        return self._ask(request, request.query_params.get("next", START)).answer()

    async def _sign_in(self, request: Request) -> Response:
        fields = await own_fields_of(request)
        next_, username = fields.get("next", START), fields.get("username", "").strip()
        try:
            return await self._checked(request, fields, username, next_)
        except SignInRefused as refused:
            return self._ask(request, next_, str(refused), username).answer(403)
        except OSError as error:
            provider = fields.get("provider", "")
            why = f"{provider} does not answer ({error}): try again, or sign in another way"
            return self._ask(request, next_, why, username).answer(503)

    async def _checked(self, request: Request, fields: dict[str, str], username: str, next_: str) -> Response:
        provider = self._methods.provider(fields.get("provider", ""))
        if provider is None or provider.spec.type not in self._methods.passwords or not username:
            raise SignInRefused(N_("choose where to sign in, and say who you are"))
        address, name = address_of(request), f"{provider.spec.username_prefix}{username}"
        self._attempts.begin(address, name)
        identity = await self._proved(provider, username, fields.get("password", ""), address, name)
        if identity is None:
            raise SignInRefused(N_("this username and password do not go together"))
        self._attempts.right(address, name)
        return await welcome(self._context, request, identity, next_)

    async def _proved(
        self, provider: Provider, username: str, password: str, address: str, name: str
    ) -> Identity | None:
        """Whose the password is. Raises SignInRefused, StatusError, OSError."""
        noting = asyncio.create_task(self._attempts.note(name))
        try:
            return await self._methods.passwords[provider.spec.type].check(provider, username, password)
        except (OSError, TooMany):
            await noting
            await self._attempts.untold(address, name)
            raise
        finally:
            await noting

    async def _sign_out(self, request: Request) -> Response:
        await own_fields_of(request)
        await close_former(self._context, request)
        answer = Page(request, "Signed out").leads_to(SIGN_IN, "Sign in again").answer()
        answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _ask(self, request: Request, next_: str, why: str = "", username: str = "") -> Page:
        next_ = local_path(next_)
        page = Page(request, "Sign in").warns(why)
        for provider, path in self._methods.elsewhere():
            page.leads_to(f"{path}?next={quote(next_, safe='')}", "Sign in with %(provider)s", provider=provider.title)
        for provider in self._methods.with_passwords():
            fields = [
                Field(
                    "username",
                    N_("Username (%(provider)s)"),
                    "text",
                    username,
                    "username",
                    {"provider": provider.title},
                ),
                Field("password", N_("Password"), "password", complete="current-password"),
            ]
            page.asks(SIGN_IN, fields, N_("Sign in"), provider=provider.name, next=next_)
        if not self._methods.providers():
            page.warns("there is nowhere to sign in: an operator has to make an IdentityProvider")
        return page


async def _style(_: Request) -> Response:
    return Response(STYLE, media_type="text/css", headers={"cache-control": "max-age=3600"})
