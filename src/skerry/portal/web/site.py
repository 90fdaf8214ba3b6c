"""The portal put together: pages become routes, and everything that all requests share.

Every route answers to somebody who is signed in; who is not is sent to sign in and back. Failures become pages (see
`failures`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from skerry.platform.base.at_a_time import AtATime
from skerry.platform.base.capability import Context
from skerry.platform.identity.gateway.guard import Guard
from skerry.platform.identity.login.forms import is_our_origin
from skerry.platform.identity.login.handling import to_sign_in
from skerry.platform.identity.login.often import Often, TooMany
from skerry.platform.identity.login.welcome import signed_in
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.identity.sessions.sessions import sessions_of
from skerry.portal.launching.rendering import Renderer
from skerry.portal.web.assets import Assets
from skerry.portal.web.changes import Changes
from skerry.portal.web.failures import answered
from skerry.portal.web.language import N_
from skerry.portal.web.pages import Handled, Navigation, Page, Socket
from skerry.portal.web.rights import Rights
from skerry.portal.web.seeing import Seeing
from skerry.portal.web.submitted import check_header, fields_of
from skerry.portal.web.templates import Templates
from skerry.portal.web.viewer import Viewer

HOME = "/portal/"
_MINUTE = timedelta(minutes=1)
_READS, _WRITES = 900, 240
_STREAMS, _TERMINALS, _FORMS = 40, 10, 4
_NOT_ALLOWED = 4403
"""WebSocket close code: signed out, or from elsewhere."""


class Site:
    """One for the whole portal; its caches must be asked for before the platform starts them."""

    def __init__(self, contexts: Mapping[str, Context], pages: Sequence[Page]) -> None:
        """`contexts`: of the platform's capabilities, by name."""
        self.identity = contexts["identity"]
        self.clock, self.client, self.settings = self.identity.clock, self.identity.client, self.identity.settings
        self.assets = Assets()
        self.templates = Templates(self.assets)
        self.rights = Rights(self.client, self.clock)
        self.informers = self.identity.informers
        self.seeing = Seeing(self.informers, self.rights)
        self.guard = Guard(self.identity, sessions_of(self.identity))
        """Ends streams when access does."""
        self.changes = Changes(self.informers)
        self.streams, self.terminals = AtATime(_STREAMS, _too_many), AtATime(_TERMINALS, _too_many)
        """Files on their way count as streams."""
        self.forms = AtATime(_FORMS, _too_many)
        """That are judged: charts may take long, and wait for each other."""
        self.renderer = Renderer()
        self._pages = pages
        self._entries = sorted((one.navigation for one in pages if one.navigation), key=lambda one: one.order)
        self._reads, self._writes = Often(self.clock, _READS, _MINUTE), Often(self.clock, _WRITES, _MINUTE)
        for page in pages:
            self.seeing.cache(*page.caches)

    def routes(self) -> Sequence[BaseRoute]:
        """All of them, and what answers for paths that are none."""
        handled = [one for page in self._pages for one in page.handled]
        made = [self._socket(one) if isinstance(one, Socket) else self._route(one) for one in handled]
        home = Route("/", lambda _: RedirectResponse(HOME, 303))
        return [home, self.assets.route(), *made, self._route(Handled("GET", "/portal/{rest:path}", _nothing_here))]

    async def navigation(self, viewer: Viewer) -> list[Navigation]:
        """The entries that the person is shown."""
        needed = [one.needs for one in self._entries if one.needs is not None]
        allowed = await self.rights.which(viewer.person, needed)
        return [one for one in self._entries if one.needs is None or one.needs in allowed]

    def person(self, connection: HTTPConnection) -> Person | None:
        """Who is signed in. Streams ask again and again."""
        return signed_in(self.identity, connection)

    def _route(self, one: Handled) -> Route:
        return Route(one.path, self._answering(one), methods=[one.method])

    def _answering(self, one: Handled) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if _is_part_of_another(request):
                return Response("this is not for pages of other hosts", 403, media_type="text/plain")
            person = self.person(request)
            if person is None:
                return _sent_to_sign_in(request)
            viewer = Viewer(self, request, person)
            return await answered(viewer, lambda: self._handle(one, viewer, request))

        return answer

    async def _handle(self, one: Handled, viewer: Viewer, request: Request) -> Response:
        self._count(one, viewer.person)
        if one.raw:
            check_header(request)
        elif one.method == "POST":
            viewer.fields = await fields_of(request)
        return await one.answer(viewer)

    def _count(self, one: Handled, person: Person) -> None:
        often = self._reads if one.method == "GET" else self._writes
        if not often.one_more(person.user):
            raise TooMany(N_("Too many requests within a minute: wait a little, then go on."))

    def _socket(self, one: Socket) -> WebSocketRoute:
        async def talk(socket: WebSocket) -> None:
            person = self.person(socket)
            # forms carry a value besides; for a WebSocket its origin is all there is, so it must be said and ours
            if person is None or not is_our_origin(socket) or not self._reads.one_more(person.user):
                await socket.close(_NOT_ALLOWED)
                return
            await one.talk(Viewer(self, socket, person), socket)

        return WebSocketRoute(one.path, talk)


def _too_many(_who: str, _most: int) -> TooMany:
    return TooMany(N_("Too many of these are under way already: close a page, or wait a little."))


def _sent_to_sign_in(request: Request) -> Response:
    """A part of a page cannot be a sign-in page: the whole page goes there, and comes back to itself."""
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"hx-refresh": "true"})
    if request.method != "GET":
        return RedirectResponse(HOME, 303)
    return to_sign_in(request)


def _is_part_of_another(request: Request) -> bool:
    """Whether a page of another host wants it as a picture, or by a script. Apps are of the same site, so what they ask
    carries cookies; they cannot read answers, but would use up what a person may ask. Source: W3C, "Fetch Metadata"."""
    site, mode = request.headers.get("sec-fetch-site"), request.headers.get("sec-fetch-mode")
    return site in ("same-site", "cross-site") and mode not in (None, "navigate")


async def _nothing_here(viewer: Viewer) -> Response:
    return await viewer.render("nothing.html", status=404)
