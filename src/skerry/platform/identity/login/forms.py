"""Forms of browsers: read, and known to come from our own pages.

Against forgery (CSRF): a random value is in a cookie that only this host can set, and in the form; browsers that say
where a form comes from are believed. Cookies are SameSite=Lax besides.
"""

from __future__ import annotations

import secrets
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from skerry.platform.base.language import N_

COOKIE, FIELD = "__Host-skerry-form", "form"
_LARGEST, _MOST_FIELDS = 64 * 1024, 50


_FOREIGN = N_("this form was not opened in this browser, or cookies are refused: go back and load it again")


class BadForm(Exception):
    """Why a form is not taken; the text is for the person."""


async def pairs_of(request: Request, largest: int = _LARGEST, most: int = _MOST_FIELDS) -> list[tuple[str, str]]:
    """What was filled in, names several times where they are; `largest`: bytes, `most`: fields. Raises BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise BadForm("not a form: application/x-www-form-urlencoded is expected")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > largest:
            raise BadForm("the form is too large")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=most)
    except ValueError:
        raise BadForm("the form cannot be read") from None


async def fields_of(request: Request) -> dict[str, str]:
    """What was filled in; of what is there twice, the last. Raises BadForm."""
    return dict(await pairs_of(request))


async def own_fields_of(request: Request) -> dict[str, str]:
    """As `fields_of`, of a form that one of our pages showed to this browser. Raises BadForm."""
    fields = await fields_of(request)
    check_own(request, fields.pop(FIELD, ""))
    return fields


def check_own(connection: HTTPConnection, value: str) -> None:
    """That a page of ours in this browser sent it; `value`: of the form's hidden field. Raises BadForm."""
    shown = connection.cookies.get(COOKIE, "")
    if not is_from_here(connection) or not shown or not secrets.compare_digest(shown.encode(), value.encode()):
        raise BadForm(_FOREIGN)


def form_value(request: HTTPConnection) -> str:
    """What the hidden field of a form has to say in this browser."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def remember_form(response: Response, value: str) -> None:
    """Have the browser keep it beside the page that shows it. "strict" would keep it from pages that a link elsewhere
    leads to: these would set another one, and forms that are open beside them would be refused."""
    response.set_cookie(COOKIE, value, path="/", secure=True, httponly=True, samesite="lax")


def is_from_here(request: HTTPConnection) -> bool:
    """Whether the browser does not say that another site sent it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    return site in (None, "same-origin", "none") and (origin in (None, "null") or is_our_origin(request))


def is_our_origin(request: HTTPConnection) -> bool:
    """Whether the browser says that a page of this host sent it."""
    return request.headers.get("origin", "").partition("://")[2] == request.headers.get("host")
