"""Revisions of an app: what each changed, and back to one of them.

Values of revisions are in Helm's Secrets, which those who may not read Secrets (viewers of a project) are not shown.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.resources import SECRETS
from skerry.platform.releases.types import RELEASES
from skerry.portal.apps.revisions import RevisionUnreadable, as_yaml, difference, secret_name, values_in
from skerry.portal.pages.app.opened import App, opened, page
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer

_SECRET = N_("What revisions were given is kept in Secrets, which you may not read.")
_GONE = N_("That revision is no longer kept.")


async def show(viewer: Viewer) -> Response:
    """The list; with `?of=3`, what the third changed."""
    app = await opened(viewer)
    kept = (app.release.get("status") or {}).get("history") or []
    of = viewer.query.number("of")
    changed = await _changed(viewer, app, of, [one["revision"] for one in kept]) if of is not None else None
    return await page(viewer, app, "history", {"kept": kept, "changed": changed})


async def back(viewer: Viewer) -> Response:
    """Run a revision again."""
    app = await opened(viewer)
    revision = viewer.fields.number("revision")
    if revision is None:
        raise NotTaken(viewer._("Choose a revision."))
    await viewer.client.patch(RELEASES, app.name, {"spec": {"rollbackTo": revision}}, app.namespace)
    return viewer.redirect(app.path, viewer._("Going back to revision %(revision)s.", revision=revision))


async def forward(viewer: Viewer) -> Response:
    """Run what its values say again, after having gone back."""
    app = await opened(viewer)
    await viewer.client.patch(RELEASES, app.name, {"spec": {"rollbackTo": None}}, app.namespace)
    return viewer.redirect(app.path, viewer._("It is made what its values say again."))


async def _changed(viewer: Viewer, app: App, revision: int, kept: list[int]) -> dict[str, Any]:
    before = max((one for one in kept if one < revision), default=0)
    try:
        new, old = await asyncio.gather(_values(viewer, app, revision), _values(viewer, app, before))
    except Forbidden:
        return {"revision": revision, "before": before, "lines": [], "refused": viewer._(_SECRET)}
    except NotFound:
        return {"revision": revision, "before": before, "lines": [], "refused": viewer._(_GONE)}
    except RevisionUnreadable as unreadable:
        return {"revision": revision, "before": before, "lines": [], "refused": str(unreadable)}
    return {"revision": revision, "before": before, "lines": difference(old, new), "refused": ""}


async def _values(viewer: Viewer, app: App, revision: int) -> str:
    if not revision:
        return ""
    return as_yaml(values_in(await viewer.client.get(SECRETS, secret_name(app.helm_name, revision), app.target)))
