"""A command line on a machine without a browser: the person opens this page elsewhere and types the code it shows.

Source: RFC 8628. The person sees where the request came from: who sends somebody else a code is a thief.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from skerry.platform.base.capability import Context
from skerry.platform.base.language import N_
from skerry.platform.identity.login.forms import BadForm, own_fields_of
from skerry.platform.identity.login.grants import Device, DeviceCodes
from skerry.platform.identity.login.handling import as_pages, to_sign_in
from skerry.platform.identity.login.often import Often, TooMany
from skerry.platform.identity.login.pages import Field, Page
from skerry.platform.identity.login.welcome import signed_in
from skerry.platform.identity.sessions.judging import Person

DEVICE = "/identity/device"
_UNKNOWN = N_("nobody waits with this code: compare it, or start skerry login again")


class DevicePages:
    """First the code is typed, then the person says yes or no."""

    def __init__(self, context: Context, devices: DeviceCodes) -> None:
        self._context, self._devices = context, devices
        self._typed = Often(context.clock, 10, timedelta(minutes=10))

    def routes(self) -> Sequence[BaseRoute]:
        """GET shows the form, POST is what was typed and what was answered."""
        return [
            Route(DEVICE, as_pages(self._ask), methods=["GET"]),
            Route(DEVICE, as_pages(self._answered), methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        if signed_in(self._context, request) is None:
            return to_sign_in(request)
        return _ask_for_code(request, request.query_params.get("user_code", "")).answer()

    async def _answered(self, request: Request) -> Response:
        fields = await own_fields_of(request)
        person = signed_in(self._context, request)
        if person is None:
            raise BadForm(N_("you are not signed in any more: open this page again"))
        code = fields.get("user_code", "")
        waiting = self._waiting(person, code)
        if waiting is None:
            return _ask_for_code(request, "").warns(_UNKNOWN).answer(404)
        if fields.get("answer") not in ("Allow", "Deny"):
            return _confirm(request, person, waiting)
        allowed = fields["answer"] == "Allow"
        self._devices.answer(code, person.user, allowed=allowed)
        done = N_("The device is signed in. You can close this page.") if allowed else N_("The device was refused.")
        return Page(request, "Done").says(done).answer()

    def _waiting(self, person: Person, code: str) -> Device | None:
        if not self._typed.one_more(person.user):
            raise TooMany(N_("too many codes: wait ten minutes"))
        waiting = self._devices.waiting(code)
        if waiting is not None:
            self._typed.take_back(person.user)
        return waiting


def _ask_for_code(request: Request, code: str) -> Page:
    page = Page(request, "Sign in a device").says("Type the code that skerry login shows.")
    return page.asks(DEVICE, [Field("user_code", N_("Code"), value=code)], N_("Continue"))


def _confirm(request: Request, person: Person, waiting: Device) -> Response:
    page = (
        Page(request, "Let this device act for you?")
        .says("You are %(user)s.", user=person.user)
        .shows(waiting.user_code)
    )
    where = f"{waiting.description} at {waiting.address}" if waiting.description else waiting.address
    page.says("skerry login on %(where)s asks to act for you for some days.", where=where)
    page.says("If you have not started it yourself, or somebody sent you this code: deny.")
    return page.asks(DEVICE, (), N_("Allow"), N_("Deny"), user_code=waiting.user_code).answer()
