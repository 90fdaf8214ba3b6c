"""What a person sets for oneself: language, light or dark. Kept in the browser."""

from __future__ import annotations

from starlette.responses import Response

from skerry.portal.web.language import COOKIE as LANGUAGE
from skerry.portal.web.language import NAMES
from skerry.portal.web.pages import Page, post
from skerry.portal.web.viewer import THEME, THEMES, Viewer

_YEAR = 365 * 24 * 3600


async def prefer(viewer: Viewer) -> Response:
    """Back to the page, as it is preferred."""
    response = viewer.redirect(viewer.fields.get("next", "/portal/"))
    for cookie, wanted, known in ((LANGUAGE, "language", NAMES), (THEME, "theme", THEMES)):
        value = viewer.fields.get(wanted)
        if value in known:
            response.set_cookie(cookie, value, _YEAR, path="/", secure=True, httponly=True, samesite="lax")
        elif wanted in viewer.fields:
            response.delete_cookie(cookie, path="/", secure=True, httponly=True, samesite="lax")
    return response


PAGE = Page(handled=(post("/portal/preferences", prefer),))
