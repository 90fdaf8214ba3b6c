"""What all handlers of the login server share: failures become pages, and who is not signed in is sent to do so."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from skerry.kube.errors import StatusError
from skerry.platform.base.language import N_
from skerry.platform.identity.login.forms import BadForm
from skerry.platform.identity.login.often import TooMany
from skerry.platform.identity.login.pages import Page
from skerry.platform.identity.login.people import SignInRefused

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
SIGN_IN = "/identity/sign-in"


def as_pages(handler: Handler) -> Handler:
    """A handler whose failures people can read."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except BadForm as wrong:
            return _failed(request, str(wrong), 400)
        except SignInRefused as refused:
            return _failed(request, str(refused), 403)
        except TooMany as many:
            return _failed(request, str(many), 429)
        except (StatusError, OSError):
            log.exception("%s %s", request.method, request.url.path.partition("/link/")[0])
            return _failed(request, N_("the cluster does not answer as it should: try again in a minute"), 503)

    return answer


def to_sign_in(request: Request) -> Response:
    """Sign in first, then come back here."""
    here = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return RedirectResponse(f"{SIGN_IN}?next={quote(here, safe='')}", 303)


def address_of(request: Request) -> str:
    """Where a request comes from, as far as we can tell."""
    return request.client.host if request.client else ""


def _failed(request: Request, why: str, status: int) -> Response:
    return Page(request, "That did not work").warns(why).leads_to("/", "Back").answer(status)
