"""Three addresses: what a controller asks before each request, where browsers are sent, and where they come back to.

check -> 401 -> sign-in (at the platform, with its session) -> a code -> signed-in (at the app's host) -> the cookie.
Codes go to a host of the guarded Ingress, by https, at the port of https and nowhere else.
Source of the shape: oauth2-proxy behind ingress-nginx.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, key_of
from skerry.platform.base.capability import Context
from skerry.platform.identity.apps.access import (
    CHECK,
    PLACE,
    SIGN_IN,
    USER_HEADER,
    has_host,
    hosts_of,
    is_anothers,
    owner_of,
)
from skerry.platform.identity.apps.judging import Doormen
from skerry.platform.identity.apps.passes import Pass, Passes
from skerry.platform.identity.login.forms import BadForm
from skerry.platform.identity.login.handling import as_pages, to_sign_in
from skerry.platform.identity.login.pages import Page
from skerry.platform.identity.login.welcome import local_path, signed_in
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.identity.sessions.sessions import sessions_of

log = logging.getLogger(__name__)

COOKIE = "__Host-skerry-app"
BACK, OUT = f"{PLACE}signed-in", f"{PLACE}sign-out"


class AppRoutes:
    """What they share: passes, and who is let in."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._passes = Passes(context.clock)
        self._doormen = Doormen(context)

    def routes(self) -> Sequence[BaseRoute]:
        """Those at the platform, and those at the apps' hosts."""
        return [
            Route(CHECK, self._check, methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
            Route(SIGN_IN, as_pages(self._sign_in), methods=["GET"]),
            Route(BACK, as_pages(self._signed_in), methods=["GET"]),
            Route(OUT, as_pages(self._sign_out), methods=["GET"]),
        ]

    async def _check(self, request: Request) -> Response:
        """200, with the user's name; 401: sign in; 403: signed in, and not let in."""
        ingress = self._ingress(request.query_params)
        if ingress is None:
            return PlainTextResponse("this Ingress does not ask for sign-on", 403)
        token = request.cookies.get(COOKIE, "")
        known = self._passes.of(token, key_of(ingress), hosts_of(ingress)) if token else None
        if known is not None and known.host != _asked_host(request, known.host):
            known = None
        person = sessions_of(self._context).still(known.session) if known else None
        if person is None:
            return PlainTextResponse("sign in", 401)
        try:
            if await self._doormen.lets_in(person, ingress):
                return PlainTextResponse("ok", headers={USER_HEADER: _as_header(person.user)})
        except (StatusError, OSError):
            log.exception("%s", request.url.path)
            return PlainTextResponse("the cluster does not answer as it should: try again in a minute", 503)
        return PlainTextResponse(self._refusal(person, ingress), 403)

    async def _sign_in(self, request: Request) -> Response:
        which, address = _asked_at_sign_in(request.url.query)
        ingress, wanted = self._ingress(which), _split(address)
        if ingress is None or not _may_lead_to(ingress, wanted.netloc):
            raise BadForm("this address does not belong to an app that asks for sign-on: open the app again")
        person = signed_in(self._context, request)
        if person is None:
            return to_sign_in(request)
        if not await self._doormen.lets_in(person, ingress):
            page = Page(request, "Not yours to open").warns(self._refusal(person, ingress))
            return page.leads_to("/", "Your projects").answer(403)
        path = local_path(f"{wanted.path}?{wanted.query}" if wanted.query else wanted.path)
        code = self._passes.code_for(Pass(key_of(ingress), wanted.hostname or "", person.session, path))
        return RedirectResponse(f"https://{wanted.hostname}{BACK}?{urlencode({'code': code})}", 303)

    async def _signed_in(self, request: Request) -> Response:
        found = self._passes.redeem(request.query_params.get("code", ""), _host(request))
        if found is None:
            raise BadForm("this sign-in is over or was used already: open the app again")
        known, token = found
        answer = RedirectResponse(known.path, 303)
        answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    async def _sign_out(self, request: Request) -> Response:
        self._passes.end(request.cookies.get(COOKIE, ""))
        answer = Page(request, "Signed out of this app").says("You are still signed in elsewhere.").answer()
        answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _refusal(self, person: Person, ingress: Obj) -> str:
        if is_anothers(ingress, person.user):
            return f"this app is for {owner_of(ingress)} only; you are {person.user}"
        project = self._doormen.project_of(ingress)
        who = f"an owner of project {project} can add you (skerry members add)" if project else "ask whose it is"
        return f"{person.user} may not open this app: {who}"

    def _ingress(self, said: Mapping[str, str]) -> Obj | None:
        return self._doormen.guarded(said.get("namespace", ""), said.get("ingress", ""))


def _asked_at_sign_in(query: str) -> tuple[dict[str, str], str]:
    """Which Ingress, and the address that somebody wanted: what follows `rd=`, to the end, as some controllers do not
    encode it. What that says of namespaces and Ingresses is the app's. ingress-nginx encodes from its path on."""
    which, _, wanted = query.partition("&rd=")
    _, _, rest = wanted.partition("://")
    return dict(parse_qsl(which)), wanted if "/" in rest else unquote(wanted)


def _asked_host(request: Request, otherwise: str) -> str:
    """At which host the controller was asked, where it says so: an Ingress with a wildcard has many, and one of these
    may be another's Ingress by now, which sees the cookie."""
    url = request.headers.get("x-original-url", "")
    return _split(url).hostname or "" if url else otherwise


def _split(address: str) -> SplitResult:
    """Empty for what is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _may_lead_to(ingress: Obj, netloc: str) -> bool:
    """One of its hosts, at the usual port: at another one of the same host somebody else may listen."""
    return has_host(ingress, netloc.removesuffix(":443").removesuffix(":80"))


def _as_header(name: str) -> str:
    """In UTF-8, as oauth2-proxy has it: servers here write each character of a header as one byte."""
    return name.encode().decode("latin-1")


def _host(request: Request) -> str:
    """Where the browser is. Behind a controller that is said by the header Host, as everywhere in HTTP."""
    return request.headers.get("host", "").removesuffix(":443")


def app_routes(context: Context) -> Sequence[BaseRoute]:
    """All of them."""
    return AppRoutes(context).routes()
