"""Somebody proved who it is: the User, a browser's session, its cookie, and on to where the person wanted to go."""

from __future__ import annotations

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response

from skerry.platform.base.capability import Context
from skerry.platform.identity.login.people import Identity, SignInRefused, people_of
from skerry.platform.identity.sessions.judging import Person
from skerry.platform.identity.sessions.sessions import SessionRefused, Wanted, sessions_of

COOKIE = "__Host-skerry"
HOME = "/identity/"
"""What one is signed in with."""
START = "/"
"""Where people begin: the portal, or `HOME` where there is none."""


async def welcome(context: Context, request: Request, identity: Identity, next_: str) -> Response:
    """The answer to the request that completed a sign-in. `next_`: a path here, see `local_path`. Raises SignInRefused,
    StatusError."""
    username = await people_of(context).signed_in(identity)
    sessions = sessions_of(context)
    try:
        opened = await sessions.open(Wanted(username, "Browser", description=request.headers.get("user-agent", "")))
    except SessionRefused as refused:
        raise SignInRefused(str(refused)) from None
    await close_former(context, request)
    answer = RedirectResponse(local_path(next_), 303)
    seconds = int((opened.expires - context.clock.now()).total_seconds())
    answer.set_cookie(COOKIE, opened.access, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def signed_in(context: Context, request: HTTPConnection) -> Person | None:
    """Whose browser it is."""
    token = request.cookies.get(COOKIE)
    return sessions_of(context).person_of(token) if token else None


async def close_former(context: Context, request: Request) -> None:
    """End the session that the browser had. Raises StatusError."""
    token = request.cookies.get(COOKIE)
    if token:
        await sessions_of(context).close_by_token(token)


def local_path(wanted: str, otherwise: str = START) -> str:
    """A path here, so that nobody is sent elsewhere by a link: anything else becomes the start page."""
    is_local = wanted.startswith("/") and not wanted.startswith("//") and wanted.isprintable() and "\\" not in wanted
    return wanted if is_local else otherwise
