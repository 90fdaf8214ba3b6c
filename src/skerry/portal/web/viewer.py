"""Who looks at a page, and everything a page needs: the person's own client, what may be seen, forms, answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from skerry.kube.clock import Clock
from skerry.kube.http_client import HttpClient
from skerry.platform.base.access import Action
from skerry.platform.identity.gateway.asking import extra_of
from skerry.platform.identity.login.forms import form_value, remember_form
from skerry.platform.identity.login.welcome import local_path
from skerry.platform.identity.sessions.judging import Person
from skerry.portal.web.headers import page_headers
from skerry.portal.web.language import COOKIE as LANGUAGE
from skerry.portal.web.language import language_of, texts_of
from skerry.portal.web.seeing import Seeing
from skerry.portal.web.submitted import Fields

if TYPE_CHECKING:
    from skerry.portal.web.site import Site

NOTICE = "__Host-skerry-notice"
THEME = "__Host-skerry-theme"
THEMES = ("light", "dark")
_NOTICE_SECONDS = 60


class Viewer:
    """One person, for one request. `fields`: of the form that was submitted."""

    def __init__(self, site: Site, request: HTTPConnection, person: Person) -> None:
        self.site, self.request, self.person = site, request, person
        self.fields = Fields(())
        self.language = language_of(request.cookies.get(LANGUAGE), request.headers.get("accept-language", ""))
        self.form = form_value(request)
        """What hidden fields of forms say."""

    @cached_property
    def client(self) -> HttpClient:
        """Acts as the person: what the cluster does not allow the person, it refuses."""
        return self.site.client.acting_as(self.person.user, self.person.groups, extra_of(self.person))

    @property
    def seeing(self) -> Seeing:
        """Lists of what the person may see."""
        return self.site.seeing

    @property
    def clock(self) -> Clock:
        """The portal's."""
        return self.site.clock

    def stream(self) -> AbstractContextManager[None]:
        """Counts something that lasts while it is open. Raises TooMany."""
        return self.site.streams.one_more(self.person.user)

    @property
    def path(self) -> dict[str, str]:
        """The variable parts of the path."""
        return self.request.path_params

    @property
    def query(self) -> Fields:
        """What stands behind the question mark."""
        return Fields(self.request.query_params.multi_items())

    @property
    def wants_part(self) -> bool:
        """Whether htmx asks, to put the answer into the page that is shown."""
        return self.request.headers.get("hx-request") == "true"

    def _(self, text: str, **values: object) -> str:
        """A text in the person's language."""
        translated = texts_of(self.language).gettext(text)
        return translated % values if values else translated

    async def may(self, action: Action) -> bool:
        """Whether the cluster allows it; asked at most every few seconds."""
        return await self.site.rights.may(self.person, action)

    async def render(
        self,
        template: str,
        values: Mapping[str, Any] | None = None,
        *,
        status: int = 200,
        policy: dict[str, str] | None = None,
    ) -> Response:
        """A page. `policy`: see `page_headers`."""
        everything = {**await self._common(), **(values or {})}
        text = self.site.templates.render(template, self.language, everything)
        response = HTMLResponse(text, status, page_headers(policy))
        if not self.wants_part:
            remember_form(response, self.form)
            if NOTICE in self.request.cookies:
                response.delete_cookie(NOTICE, path="/", secure=True, httponly=True, samesite="lax")
        return response

    def part(self, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200) -> Response:
        """A part of a page, for htmx."""
        everything = {"viewer": self, "form": self.form, "now": self.clock.now(), **(values or {})}
        return HTMLResponse(self.site.templates.render(template, self.language, everything), status, page_headers())

    def redirect(self, path: str, notice: str = "") -> Response:
        """On to another page here, where `notice` is shown once."""
        response: Response
        if self.wants_part:
            response = Response(status_code=204, headers={**page_headers(), "hx-redirect": local_path(path)})
        else:
            response = RedirectResponse(local_path(path), 303, page_headers())
        if notice:
            response.set_cookie(
                NOTICE, quote(notice), _NOTICE_SECONDS, path="/", secure=True, httponly=True, samesite="lax"
            )
        return response

    async def _common(self) -> dict[str, Any]:
        theme = self.request.cookies.get(THEME, "")
        return {
            "viewer": self,
            "person": self.person,
            "form": self.form,
            "now": self.clock.now(),
            "theme": theme if theme in THEMES else "",
            "notice": unquote(self.request.cookies.get(NOTICE, "")),
            "here": self.request.url.path,
            "navigation": await self.site.navigation(self),
        }
