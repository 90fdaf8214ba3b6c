"""What is done to an app by one button: stop, start, look again, remove."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from skerry.kube.clock import rfc3339
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PODS
from skerry.platform.releases.types import RECOVER, RELEASES
from skerry.portal.pages.app.opened import everything, opened, page, parts
from skerry.portal.web.language import N_
from skerry.portal.web.submitted import NotTaken
from skerry.portal.web.viewer import Viewer

_SPECS: dict[str, tuple[dict[str, Any], str]] = {
    "stop": ({"stopped": True}, N_("It is being stopped. What it stores stays.")),
    "start": ({"stopped": False}, N_("It is being started.")),
    "suspend": ({"suspended": True}, N_("The platform leaves it alone now, whatever happens to it.")),
    "resume": ({"suspended": False}, N_("The platform looks after it again.")),
}


async def act(viewer: Viewer) -> Response:
    """One of `_SPECS`, or recover."""
    app, what = await opened(viewer), viewer.path["what"]
    if what == "recover":
        annotations = {RECOVER: rfc3339(viewer.clock.now())}
        await viewer.client.patch(RELEASES, app.name, {"metadata": {"annotations": annotations}}, app.namespace)
        return viewer.redirect(app.path, viewer._("It is looked at again."))
    if what not in _SPECS:
        raise NotTaken(viewer._("There is no such action."))
    spec, said = _SPECS[what]
    await viewer.client.patch(RELEASES, app.name, {"spec": spec}, app.namespace)
    return viewer.redirect(app.path, viewer._(said))


async def restart(viewer: Viewer) -> Response:
    """End one of its pods: what made it makes another."""
    app, pod = await opened(viewer), viewer.fields.get("pod")
    if pod not in {one["metadata"]["name"] for one in (await parts(viewer, app)).pods}:
        raise NotTaken(viewer._("That pod of the app is gone: open the page again."))
    await viewer.client.delete(PODS, pod, app.target)
    return viewer.redirect(app.path, viewer._("%(pod)s is being ended; another takes its place.", pod=pod))


async def ask(viewer: Viewer) -> Response:
    """What removing it means, before it is done."""
    app = await opened(viewer)
    names = (await everything(viewer, app)).names
    claims = sorted(name for kind, name in names if kind == PERSISTENT_VOLUME_CLAIMS.kind)
    return await page(viewer, app, "remove", {"claims": claims})


async def remove(viewer: Viewer) -> Response:
    """Uninstall it."""
    app = await opened(viewer)
    if viewer.fields.get("name") != app.name:
        raise NotTaken(viewer._("Type the app's name to remove it."))
    await viewer.client.delete(RELEASES, app.name, app.namespace)
    home = f"/portal/projects/{app.project}" if app.project else "/portal/"
    return viewer.redirect(home, viewer._("%(app)s is being removed.", app=app.name))
