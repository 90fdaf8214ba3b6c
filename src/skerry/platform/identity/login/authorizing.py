"""A command line on the person's own machine asks to act for the person: authorization code with PKCE.

The code goes to a port of that machine's loopback address and nowhere else, and only after the person said yes.
Source: RFC 6749, RFC 7636 (S256 only), RFC 8252.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from skerry.kube.records import record
from skerry.platform.base.capability import Context
from skerry.platform.base.language import N_
from skerry.platform.identity.login.forms import BadForm, own_fields_of
from skerry.platform.identity.login.grants import Codes
from skerry.platform.identity.login.handling import as_pages, to_sign_in
from skerry.platform.identity.login.pages import Page
from skerry.platform.identity.login.welcome import signed_in

CLIENT = "skerry-cli"
AUTHORIZE = "/identity/authorize"
_CARRIED = (
    "client_id", "response_type", "redirect_uri", "code_challenge", "code_challenge_method", "state", "description"
)  # fmt: skip
_CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")


@record
class Asked:
    """A request that is as it should be."""

    redirect_uri: str
    challenge: str
    state: str
    description: str

    @property
    def origin(self) -> str:
        """Of the command line: scheme, host and port."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def back(self, **answer: str) -> Response:
        """To the command line."""
        said = {**answer, "state": self.state} if self.state else answer
        return RedirectResponse(f"{self.redirect_uri}?{urlencode(said)}", 303)


class Authorizing:
    """The page that asks, and the answer to it."""

    def __init__(self, context: Context, codes: Codes) -> None:
        self._context, self._codes = context, codes

    def routes(self) -> Sequence[BaseRoute]:
        """GET asks the person, POST is the answer."""
        return [
            Route(AUTHORIZE, as_pages(self._ask), methods=["GET"]),
            Route(AUTHORIZE, as_pages(self._answered), methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        asked = read(request.query_params)
        person = signed_in(self._context, request)
        if person is None:
            return to_sign_in(request)
        page = Page(request, "Let the command line act for you?").says("You are %(user)s.", user=person.user)
        if asked.description:
            page.says("skerry login on %(where)s asks to act for you for some days.", where=asked.description)
        else:
            page.says("skerry login on this machine asks to act for you for some days.")
        page.says("Go on only if you have just started it yourself.")
        carried = {name: request.query_params[name] for name in _CARRIED if name in request.query_params}
        return page.may_lead_to(asked.origin).asks(AUTHORIZE, (), "Allow", "Deny", **carried).answer()

    async def _answered(self, request: Request) -> Response:
        fields = await own_fields_of(request)
        asked = read(fields)
        person = signed_in(self._context, request)
        if person is None:
            raise BadForm(N_("you are not signed in any more: start again with skerry login"))
        if fields.get("answer") != "Allow":
            return asked.back(error="access_denied")
        return asked.back(code=self._codes.grant(person.user, asked.redirect_uri, asked.challenge, asked.description))


def read(said: Mapping[str, str]) -> Asked:
    """What is asked for. Raises BadForm: what is wrong with it is told here, never to an address that it names."""
    if said.get("client_id") != CLIENT:
        raise BadForm(f"client_id must be {CLIENT}")
    if said.get("response_type") != "code":
        raise BadForm("response_type must be code")
    if said.get("code_challenge_method") != "S256" or not _CHALLENGE.match(said.get("code_challenge", "")):
        raise BadForm("PKCE is required: code_challenge with code_challenge_method=S256")
    redirect_uri = said.get("redirect_uri", "")
    if not _is_loopback(redirect_uri):
        raise BadForm("redirect_uri must be http://127.0.0.1:<port>/<path>, without a query")
    return Asked(redirect_uri, said["code_challenge"], said.get("state", ""), said.get("description", "")[:100])


def _is_loopback(uri: str) -> bool:
    return re.fullmatch(r"http://127\.0\.0\.1:[0-9]{1,5}/[A-Za-z0-9/_-]*", uri) is not None
