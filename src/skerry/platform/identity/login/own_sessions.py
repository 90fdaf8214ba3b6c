"""What one is signed in with, on the home page: browsers, command lines, programs; each can be ended there."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from skerry.kube.objects import Obj, name_of
from skerry.platform.base.capability import Context
from skerry.platform.base.language import N_
from skerry.platform.identity.login.forms import BadForm, own_fields_of
from skerry.platform.identity.login.handling import SIGN_IN, as_pages
from skerry.platform.identity.login.pages import Page
from skerry.platform.identity.login.welcome import HOME, signed_in
from skerry.platform.identity.sessions.sessions import sessions_of

_END = "/identity/sessions/end"
SIGN_OUT = "/identity/sign-out"
_KINDS = {
    "Browser": N_("a browser%(about)s; last used %(used)s, ends %(ends)s"),
    "CommandLine": N_("a command line%(about)s; last used %(used)s, ends %(ends)s"),
    "Program": N_("a program%(about)s; last used %(used)s, ends %(ends)s"),
}


class OwnSessions:
    """The home page, and the answer to its buttons."""

    def __init__(self, context: Context) -> None:
        self._context, self._sessions = context, sessions_of(context)

    def routes(self) -> Sequence[BaseRoute]:
        """GET shows them, POST ends one."""
        return [
            Route(HOME, as_pages(self._home), methods=["GET"]),
            Route(_END, as_pages(self._end), methods=["POST"]),
        ]

    async def _home(self, request: Request) -> Response:
        person = signed_in(self._context, request)
        if person is None:
            return RedirectResponse(SIGN_IN, 303)
        page = Page(request, "Signed in").says("You are %(user)s.", user=person.user)
        if person.groups:
            page.says("Member of %(groups)s.", groups=", ".join(person.groups))
        page.leads_to("/", "To the portal").asks(SIGN_OUT, (), N_("Sign out"))
        others = [one for one in self._sessions.of_user(person.user) if name_of(one) != person.session]
        if others:
            page.says("You are also signed in with:")
        for one in sorted(others, key=lambda one: str(one["metadata"]["creationTimestamp"])):
            kind = _KINDS[one["spec"]["kind"]]
            page.says(kind, **_about(one)).asks(_END, (), N_("End"), session=name_of(one))
        return page.answer()

    async def _end(self, request: Request) -> Response:
        fields = await own_fields_of(request)
        person = signed_in(self._context, request)
        wanted = fields.get("session", "")
        if person is None or wanted not in {name_of(one) for one in self._sessions.of_user(person.user)}:
            raise BadForm(N_("this session is not yours, or over"))
        await self._sessions.close(wanted)
        return RedirectResponse(HOME, 303)


def _about(session: Obj) -> dict[str, str]:
    """What there is to say of one, for the person whose it is."""
    spec, used = session["spec"], (session.get("status") or {}).get("lastUsed", "–")
    scope = spec.get("scope")
    known = [spec.get("description", ""), f"{scope['project']}: {scope['role']}" if scope else ""]
    about = ", ".join(filter(None, known))
    return {"about": f" ({about})" if about else "", "used": used, "ends": spec["expires"]}
