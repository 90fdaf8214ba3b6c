"""What a page is: its paths, what answers them, and its place in the navigation. The contract of `pages/`.

async def show(viewer: Viewer) -> Response:
    return viewer.render("thing.html", {"things": await viewer.seeing.listed(viewer.person, THINGS)})

PAGE = Page(handled=(get("/portal/things", show), post("/portal/things/{name}", change)))
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

from skerry.kube.objects import Resource
from skerry.kube.records import record
from skerry.platform.base.access import Action

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from skerry.portal.web.viewer import Viewer

Answer = Callable[["Viewer"], Awaitable[Response]]
Talk = Callable[["Viewer", "WebSocket"], Awaitable[None]]


@record
class Handled:
    """One path. A POST is checked to come from our own page, and its fields are in `viewer.fields`; with `raw` the
    body is left to the handler, and the check is the header `submitted.HEADER`."""

    method: Literal["GET", "POST"]
    path: str
    answer: Answer
    raw: bool = False


@record
class Socket:
    """A WebSocket. Who is not signed in, or comes from elsewhere, does not get there."""

    path: str
    talk: Talk


@record
class Navigation:
    """An entry that leads to a page."""

    label: str
    """Marked by `N_`."""
    path: str
    order: int
    icon: str
    """Of templates/icons.html."""
    needs: Action | None = None
    """Shown to whom the cluster allows this."""


@record
class Page:
    """One of `pages/`."""

    handled: Sequence[Handled | Socket]
    navigation: Navigation | None = None
    caches: Sequence[Resource] = field(default=())
    """What it lists by `viewer.seeing`."""


def get(path: str, answer: Answer) -> Handled:
    """A page that is shown. It must change nothing."""
    return Handled("GET", path, answer)


def post(path: str, answer: Answer, *, raw: bool = False) -> Handled:
    """A form that is answered."""
    return Handled("POST", path, answer, raw)
