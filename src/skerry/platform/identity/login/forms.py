"""Forms of browsers: read, and known to come from our own pages.

Against forgery (CSRF): a random value is in a cookie that only this host can set, and in the form; browsers that say
where a form comes from are believed. Cookies are SameSite=Lax besides.
"""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

COOKIE, FIELD = "__Host-skerry-form", "form"
_LARGEST = 64 * 1024


class BadForm(Exception):
    """Why a form is not taken; the text is for the person."""


async def fields_of(request: Request) -> dict[str, str]:
    """What was filled in. Raises BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise BadForm("not a form: application/x-www-form-urlencoded is expected")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise BadForm("the form is too large")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise BadForm("the form cannot be read") from None


async def own_fields_of(request: Request) -> dict[str, str]:
    """As `fields_of`, of a form that one of our pages showed to this browser. Raises BadForm."""
    fields = await fields_of(request)
    shown = request.cookies.get(COOKIE, "")
    if not is_from_here(request) or not shown or not secrets.compare_digest(shown, fields.pop(FIELD, "")):
        raise BadForm("this form was not opened in this browser, or cookies are refused: go back and load it again")
    return fields


def form_value(request: Request) -> str:
    """What the hidden field of a form has to say in this browser."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def remember_form(response: Response, value: str) -> None:
    """Have the browser keep it beside the page that shows it."""
    response.set_cookie(COOKIE, value, path="/", secure=True, httponly=True, samesite="strict")


def is_from_here(request: HTTPConnection) -> bool:
    """Whether the browser does not say that another site sent it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in (None, "same-origin", "none"):
        return False
    return origin in (None, "null") or urlsplit(origin).netloc == request.headers.get("host")
