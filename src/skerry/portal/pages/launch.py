"""Launching a chart: the form from its schema, judged while it is filled in, and the Release that it makes.

What the form comes to is rendered and held against the project's quota before anything is made; the Release is made by
the person's own client.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from skerry.kube.errors import AlreadyExists
from skerry.kube.objects import Obj, name_of, namespace_of
from skerry.platform.catalog.types import CATALOG_ENTRIES
from skerry.platform.releases.types import RELEASES
from skerry.portal.forms.fields import leaves
from skerry.portal.forms.reading import EXTRA, remaining, shown, text_of, written
from skerry.portal.launching.commands import launch_command
from skerry.portal.launching.judging import Draft, Judgement, judge
from skerry.portal.launching.places import Place, places_of
from skerry.portal.launching.shelf import chart_of, title_of
from skerry.portal.web.pages import Page, get, post
from skerry.portal.web.pictures import picture_of
from skerry.portal.web.viewer import Viewer

_LETTERS = "bcdfghjkmnpqrstvwxz2456789"


async def show(viewer: Viewer) -> Response:
    """The form: empty, or with the values of the release `like` (in namespace `of`)."""
    draft = await _draft(viewer, viewer.query.get("version"))
    places = await _places(viewer, draft)
    values: Mapping[str, Any] = {}
    if like := viewer.query.get("like"):
        former = await viewer.client.get(RELEASES, like, viewer.query.get("of"))
        values = former["spec"].get("values") or {}
    return await _page(viewer, draft, places, values, None)


async def check(viewer: Viewer) -> Response:
    """What the form comes to so far; for htmx."""
    draft = await _draft(viewer, viewer.fields.get("version"))
    judgement = await judge(viewer, draft, viewer.fields)
    return viewer.part("launch_judged.html", _judged(draft, judgement))


async def launch(viewer: Viewer) -> Response:
    """Make the Release, or show what is wrong."""
    draft = await _draft(viewer, viewer.fields.get("version"))
    judgement = await judge(viewer, draft, viewer.fields, thorough=True)
    if judgement.stops and not (judgement.may_anyway and viewer.fields.get("anyway")):
        return await _page(viewer, draft, await _places(viewer, draft), judgement.values, judgement)
    try:
        made = await viewer.client.create(RELEASES, _release(draft, judgement), judgement.namespace)
    except AlreadyExists:
        return await _page(viewer, draft, await _places(viewer, draft), judgement.values, judgement.taken())
    return viewer.redirect(f"/portal/apps/{namespace_of(made)}/{name_of(made)}/progress")


def _release(draft: Draft, judgement: Judgement) -> Obj:
    return {
        "apiVersion": RELEASES.api_version,
        "kind": RELEASES.kind,
        "metadata": {"name": judgement.name, "namespace": judgement.namespace},
        "spec": {"chart": draft.chart.reference, "values": judgement.values},
    }


async def _draft(viewer: Viewer, version: str) -> Draft:
    chart = await chart_of(viewer, viewer.path["namespace"], viewer.path["entry"], version)
    return Draft.of(chart)


async def _places(viewer: Viewer, draft: Draft) -> list[Place]:
    """Where it can be launched. A project's own chart only in that project."""
    places = await places_of(viewer)
    if draft.chart.is_everybodys:
        return places
    project = next((one.project for one in places if one.namespace == namespace_of(draft.chart.entry)), "")
    return [one for one in places if one.project == project]


async def _page(
    viewer: Viewer, draft: Draft, places: list[Place], values: Mapping[str, Any], judgement: Judgement | None
) -> Response:
    entry = draft.chart.entry
    fields = viewer.fields if judgement is not None else viewer.query
    chosen = next((one.namespace for one in places if one.namespace == fields.get("namespace")), "")
    name = fields.get("name") if "name" in fields else _free_name(viewer, entry, places)
    left = remaining(draft.fields, values)
    everything = {
        "draft": draft,
        "places": places,
        "chosen": chosen or (places[0].namespace if places else ""),
        "name": name,
        "extra": viewer.fields.get(EXTRA) if judgement is not None else (written(left) if left else ""),
        "title": title_of(entry),
        "picture_url": picture_of(entry),
        "here_path": f"/portal/launch/{namespace_of(entry)}/{name_of(entry)}",
        "chart_path": f"/portal/catalogue/{namespace_of(entry)}/{name_of(entry)}",
        "shown": lambda one: _shown(viewer, one, values, judgement),
        "text_of": text_of,
        "has_advanced": any(one.advanced for one in draft.fields),
        "judged": _judged(draft, judgement) if judgement is not None else None,
    }
    return await viewer.render("launch.html", everything, status=200 if judgement is None else 422)


def _shown(viewer: Viewer, one: Any, values: Mapping[str, Any], judgement: Judgement | None) -> str:
    """What was typed stays, also what is wrong."""
    if judgement is not None and one.name in viewer.fields:
        typed = viewer.fields.all(one.name)[-1]
        return ("true" if typed == "on" else "false") if one.kind == "tick" else typed
    return shown(one, values)


def _judged(draft: Draft, judgement: Judgement) -> dict[str, Any]:
    command = ""
    if judgement.name and judgement.namespace:
        command = launch_command(draft.chart, judgement.name, judgement.namespace, judgement.values)
    ids = [(one.id, one.path) for one in leaves(draft.fields)]
    return {"judgement": judgement, "command_text": command, "ids": ids}


def _free_name(viewer: Viewer, entry: Obj, places: list[Place]) -> str:
    """The chart's, when nothing of the person's is called so already."""
    wanted = str(entry["spec"]["name"])[:40]
    taken = viewer.site.informers.of(RELEASES)
    if any(taken.get(wanted, one.namespace) for one in places):
        return f"{wanted}-{''.join(secrets.choice(_LETTERS) for _ in range(3))}"
    return wanted


PAGE = Page(
    handled=(
        get("/portal/launch/{namespace}/{entry}", show),
        post("/portal/launch/{namespace}/{entry}/check", check),
        post("/portal/launch/{namespace}/{entry}", launch),
    ),
    caches=(CATALOG_ENTRIES, RELEASES),
)
