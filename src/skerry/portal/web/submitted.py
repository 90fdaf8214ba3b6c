"""What a browser submits, as the portal's pages read it: larger forms than the sign-in pages have, names several times.

That it comes from a page of ours, and why that is believed: `platform.identity.login.forms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.requests import Request

from skerry.platform.identity.login.forms import FIELD, check_own, pairs_of

HEADER = "x-skerry-form"
_LARGEST = 512 * 1024
_MOST_FIELDS = 2000
_NUMBER = re.compile(r"[0-9]{1,9}")


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

    def number(self, name: str) -> int | None:
        """A whole number of at most nine digits; None when it is none."""
        value = self.get(name)
        return int(value) if _NUMBER.fullmatch(value) else None

    def all(self, name: str) -> list[str]:
        """All values, as they are."""
        return self._values.get(name, [])

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def items(self) -> Mapping[str, list[str]]:
        """Everything."""
        return self._values


async def fields_of(request: Request) -> Fields:
    """Of a form that one of our pages showed in this browser. Raises BadForm."""
    pairs = await pairs_of(request, _LARGEST, _MOST_FIELDS)
    check_own(request, Fields(pairs).get(FIELD) or request.headers.get(HEADER, ""))
    return Fields([(name, value) for name, value in pairs if name != FIELD])


def check_header(request: Request) -> None:
    """As `check_own`, of what has no fields: a script of ours says in `HEADER` what forms have in theirs. Raises
    BadForm."""
    check_own(request, request.headers.get(HEADER, ""))
