"""Failures as pages that say what happened and what to do; within a page, as a message at its top."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from skerry.kube.errors import Forbidden, NotFound, StatusError
from skerry.kube.refusals import plain
from skerry.platform.identity.login.forms import BadForm
from skerry.platform.identity.login.often import TooMany
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer

log = logging.getLogger(__name__)

_AWAY = N_("The cluster does not answer as it should. Nothing was lost: try again in a minute.")
_GONE = N_("It may have been deleted, or the address is mistyped.")
_NO_ROLE = N_("You have no role that lets you: owners give roles in their project, operators all others.")
_BROKEN = N_("Something went wrong here, not at your end. It is written down for the operators.")


async def answered(viewer: Viewer, handle: Callable[[], Awaitable[Response]]) -> Response:
    """The answer of a handler, or what became of it."""
    try:
        return await handle()
    except (BadForm, NotTaken) as refused:
        return await _failed(viewer, 400, viewer._("That was not taken"), str(refused))
    except TooMany as many:
        return await _failed(viewer, 429, viewer._("Slower, please"), viewer._(str(many)))
    except NotFound as missing:
        return await _failed(viewer, 404, viewer._("There is no such thing"), _told(viewer, missing))
    except Forbidden as refused:
        return await _failed(viewer, 403, viewer._("You may not do that"), _told(viewer, refused))
    except StatusError as error:
        if error.code < 500:
            return await _failed(viewer, error.code, viewer._("The cluster refused"), plain(error.message))
        return await _away(viewer)
    except OSError:
        return await _away(viewer)
    except Exception:
        log.exception("portal: %s", viewer.request.url.path)
        return await _failed(viewer, 500, viewer._("This page is broken"), viewer._(_BROKEN))


def _told(viewer: Viewer, error: NotFound | Forbidden) -> str:
    """What the cluster says in its own words has ours before it."""
    if isinstance(error, Forbidden):
        hint = _NO_ROLE if '" cannot ' in error.message else ""
    else:
        hint = _GONE if error.details.get("name") else ""
    return f"{viewer._(hint)} ({error.message})" if hint else plain(error.message)


async def _away(viewer: Viewer) -> Response:
    log.exception("portal: %s", viewer.request.url.path)
    return await _failed(viewer, 503, viewer._("The cluster is not answering"), viewer._(_AWAY))


async def _failed(viewer: Viewer, status: int, title: str, why: str) -> Response:
    if viewer.wants_part:
        part = viewer.part("failed_part.html", {"title": title, "why": why}, status=status)
        part.headers["hx-retarget"], part.headers["hx-reswap"] = "#messages", "innerHTML"
        return part
    try:
        return await viewer.render("failed.html", {"title": title, "why": why}, status=status)
    except (StatusError, OSError):  # the navigation could not be asked for
        return viewer.part("failed_alone.html", {"title": title, "why": why}, status=status)
