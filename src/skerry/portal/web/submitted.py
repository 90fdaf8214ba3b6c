"""What a browser submits: read, bounded, and known to come from a page of ours.

Against forgery (CSRF) as on the sign-in pages: a random value is in a cookie that only this host can set, and in the
form (or, for scripts, the header `HEADER`); browsers that say where a request comes from are believed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection, Request

from skerry.platform.identity.login.forms import COOKIE, FIELD, is_from_here

HEADER = "x-skerry-form"
_LARGEST = 512 * 1024
_MOST_FIELDS = 2000


class NotTaken(Exception):
    """Why what was submitted is refused; the text is for the person."""


class Fields:
    """Of a form: names may occur several times."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """The last value (a check box after a hidden field wins), without spaces around."""
        return self._values.get(name, [default])[-1].strip()

    def all(self, name: str) -> list[str]:
        """All values, as they are."""
        return self._values.get(name, [])

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def items(self) -> Mapping[str, list[str]]:
        """Everything."""
        return self._values


async def fields_of(request: Request) -> Fields:
    """Of a form that one of our pages showed in this browser. Raises NotTaken."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise NotTaken("not a form: application/x-www-form-urlencoded is expected")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise NotTaken("the form is too large")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise NotTaken("the form cannot be read") from None
    fields = Fields([(name, value) for name, value in pairs if name != FIELD])
    check(request, Fields(pairs).get(FIELD) or request.headers.get(HEADER, ""))
    return fields


def check(connection: HTTPConnection, value: str) -> None:
    """That a page of ours in this browser sent it; `value`: of its hidden field, or the header. Raises NotTaken."""
    shown = connection.cookies.get(COOKIE, "")
    if not is_from_here(connection) or not shown or not secrets.compare_digest(shown.encode(), value.encode()):
        raise NotTaken("this form was not opened in this browser, or cookies are refused: go back and load it again")
