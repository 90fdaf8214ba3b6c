"""The page behind a one-time link: a password is set, and the person is signed in."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from skerry.kube.errors import AlreadyExists
from skerry.kube.objects import Obj
from skerry.platform.base.capability import Context
from skerry.platform.base.language import N_
from skerry.platform.identity.groups import Members
from skerry.platform.identity.local.links import Link, link_of, use_up
from skerry.platform.identity.local.passwords import Passwords, why_too_weak
from skerry.platform.identity.login.forms import own_fields_of
from skerry.platform.identity.login.handling import as_pages
from skerry.platform.identity.login.methods import methods_of
from skerry.platform.identity.login.pages import Field, Page
from skerry.platform.identity.login.people import Identity, SignInRefused, people_of
from skerry.platform.identity.login.welcome import START, welcome
from skerry.platform.identity.sessions.sessions import sessions_of
from skerry.platform.identity.types import LOCAL, OPERATORS, LocalSettings, UserSpec

_OVER = N_("this link was used, or is over: ask an operator for another (skerry users link <name>)")


class LinkPages:
    """One page; the token is part of its path."""

    def __init__(self, context: Context, passwords: Passwords) -> None:
        self._context, self._passwords = context, passwords
        self._people, self._members = people_of(context), Members(context)

    def routes(self) -> Sequence[BaseRoute]:
        """GET shows the form, which uses nothing up; POST is the form."""
        return [
            Route("/identity/link/{token}", as_pages(self._ask), methods=["GET"]),
            Route("/identity/link/{token}", as_pages(self._answered), methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        link = await self._link(request)
        return _ask_for_password(request, link).answer()

    async def _answered(self, request: Request) -> Response:
        fields = await own_fields_of(request)
        link = await self._link(request)
        username = link.username or fields.get("username", "").strip()
        wrong = self._wrong(fields, username)
        if wrong:
            return _ask_for_password(request, link, username).warns(wrong).answer(400)
        user = await self._user(link, username)
        if not await use_up(self._context.client, request.path_params["token"], link):
            raise SignInRefused(_OVER)
        await self._passwords.set(user, fields["password"])
        await sessions_of(self._context).close_all(username)
        if link.purpose == "FirstOperator":
            await self._members.add(OPERATORS, username)
        return await welcome(self._context, request, Identity(LOCAL, username, username), START)

    async def _link(self, request: Request) -> Link:
        if methods_of(self._context).provider(LOCAL) is None:
            raise SignInRefused(N_("accounts with a password are turned off here (IdentityProvider local)"))
        link = await link_of(self._context.client, self._context.clock, request.path_params["token"])
        if link is None or (link.purpose == "FirstOperator" and self._members.of(OPERATORS)):
            raise SignInRefused(_OVER)
        return link

    async def _user(self, link: Link, username: str) -> Obj:
        if link.purpose == "FirstOperator":
            try:
                return await self._people.make(UserSpec.of({"username": username, "provider": LOCAL}))
            except AlreadyExists:
                raise SignInRefused(f"there is a {username} already: choose another name") from None
        user = self._people.get(username)
        if user is None or (user["spec"].get("provider") or LOCAL) != LOCAL:
            raise SignInRefused(f"{username} has no password here: the account is gone, or of another provider")
        if user["spec"].get("disabled"):
            raise SignInRefused(f"the account {username} is disabled: ask an operator")
        return user

    def _wrong(self, fields: dict[str, str], username: str) -> str:
        if not username:
            return N_("a username is needed")
        if fields.get("password", "") != fields.get("again", ""):
            return N_("the two passwords differ")
        return why_too_weak(fields.get("password", ""), username, self._shortest())

    def _shortest(self) -> int:
        provider = methods_of(self._context).provider(LOCAL)
        settings = (provider.spec.local if provider else None) or LocalSettings.of({})
        return settings.shortest_password


def _ask_for_password(request: Request, link: Link, username: str = "") -> Page:
    first = link.purpose == "FirstOperator"
    titled = Page(request, "The first operator")
    page = titled if first else Page(request, "A password for %(user)s", user=link.username)
    name = [Field("username", N_("Username"), value=username, complete="username")] if first else []
    passwords = [
        Field("password", N_("New password"), "password", complete="new-password"),
        Field("again", N_("The same again"), "password", complete="new-password"),
    ]
    return page.asks(request.url.path, [*name, *passwords], N_("Set password"))
