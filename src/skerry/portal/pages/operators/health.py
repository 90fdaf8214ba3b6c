"""Health of the platform itself: what answers, what does not, and whose business it is."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterable, Sequence
from time import perf_counter

from starlette.responses import Response

from skerry import __version__
from skerry.kube.conditions import condition_is_true, condition_of
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj, Resource, is_deleting, name_of, namespace_of
from skerry.kube.records import record
from skerry.kube.resources import NODES
from skerry.platform.catalog.types import CATALOGS
from skerry.platform.identity.types import IDENTITY_PROVIDERS
from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS
from skerry.platform.releases.types import RELEASES
from skerry.portal.pages.operators.common import HOME, page, wrong_with
from skerry.portal.web.language import N_
from skerry.portal.web.viewer import Viewer
from skerry.portal.words.said import Said

_MOST = 20
_SLOW = 0.5
"""Seconds after which an answer of the API is slow."""


@record
class Matter:
    """One thing that is not as it should be."""

    kind: str
    name: str
    why: str
    link: str


@record
class Part:
    """Of the platform, and how it is."""

    label: str
    said: Said
    link: str = ""


async def show(viewer: Viewer) -> Response:
    """The page."""
    api = await _api(viewer)
    resources = (NODES, PROJECTS, RELEASES, CATALOGS, IDENTITY_PROVIDERS, PROJECT_REQUESTS)
    lists = await asyncio.gather(*(_listed(viewer, one) for one in resources))
    nodes, projects, releases, catalogs, providers, requests = lists
    parts = [
        api,
        _caches(viewer),
        _counted(N_("Machines"), nodes, f"{HOME}nodes"),
        _counted(N_("Projects"), projects, f"{HOME}projects"),
        _counted(N_("Apps"), [one for one in releases if not _rests(one)], ""),
        _counted(N_("Catalogues"), catalogs, f"{HOME}catalogues"),
        _counted(N_("Ways to sign in"), providers, ""),
        _open_requests(requests),
    ]
    matters = [*_matters(nodes, f"{HOME}nodes"), *_matters(catalogs, f"{HOME}catalogues"), *_matters(providers, "")]
    matters += [*_matters(projects, "/portal/projects/{name}"), *_matters(releases, "/portal/apps/{namespace}/{name}")]
    values = {"parts": parts, "matters": matters[:_MOST], "more": max(0, len(matters) - _MOST)}
    return await page(viewer, "health", {**values, "version": __version__, "memory": _memory()})


async def _listed(viewer: Viewer, kind: Resource) -> Sequence[Obj]:
    """From the platform's caches where there are any; nothing where the person may not."""
    try:
        return await viewer.seeing.listed(viewer.person, kind)
    except StatusError:
        return ()


async def _api(viewer: Viewer) -> Part:
    began = perf_counter()
    try:
        await viewer.client.get_raw("/readyz")
    except (StatusError, OSError) as error:
        return Part(
            N_("The Kubernetes API"), Said(N_("It does not answer as it should: %(why)s"), {"why": error}, "bad")
        )
    seconds = perf_counter() - began
    values = {"milliseconds": round(seconds * 1000)}
    said = Said(N_("It answers, in %(milliseconds)s ms."), values, "good" if seconds < _SLOW else "busy")
    return Part(N_("The Kubernetes API"), said)


def _caches(viewer: Viewer) -> Part:
    missing = viewer.site.informers.incomplete()
    if missing:
        return Part(
            N_("What the platform knows"),
            Said(N_("It has not seen yet: %(what)s"), {"what": ", ".join(missing)}, "bad"),
        )
    return Part(N_("What the platform knows"), Said(N_("It is up to date."), tone="good"))


def _counted(label: str, objects: Sequence[Obj], link: str) -> Part:
    bad = sum(not _is_well(one) for one in objects)
    values = {"well": len(objects) - bad, "all": len(objects)}
    if not objects:
        return Part(label, Said(N_("There are none.")), link)
    return Part(label, Said(N_("%(well)s of %(all)s are well."), values, "bad" if bad else "good"), link)


def _open_requests(requests: Sequence[Obj]) -> Part:
    waiting = sum(not one["spec"].get("decision") for one in requests)
    if not waiting:
        return Part(N_("Requests"), Said(N_("None waits."), tone="good"), f"{HOME}requests")
    return Part(
        N_("Requests"), Said(N_("Waiting for a decision: %(number)s."), {"number": waiting}, "busy"), f"{HOME}requests"
    )


def _is_well(obj: Obj) -> bool:
    return condition_of(obj, "Ready") is None or condition_is_true(obj, "Ready")


def _rests(release: Obj) -> bool:
    spec = release["spec"]
    return bool(spec.get("stopped") or spec.get("suspended") or is_deleting(release))


def _matters(objects: Iterable[Obj], link: str) -> list[Matter]:
    return [
        Matter(
            one.get("kind", ""),
            "/".join(part for part in (namespace_of(one), name_of(one)) if part),
            wrong_with(one),
            link.format(namespace=namespace_of(one), name=name_of(one)),
        )
        for one in objects
        if not _is_well(one) and not ("spec" in one and _rests(one))
    ]


def _memory() -> int:
    """Bytes of this process at its largest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
