"""The paths of operators' pages."""

from __future__ import annotations

from skerry.kube.resources import NODES, PODS
from skerry.platform.catalog.types import CATALOGS
from skerry.platform.identity.types import IDENTITY_PROVIDERS
from skerry.platform.projects.types import PROJECT_REQUESTS, PROJECTS
from skerry.platform.releases.types import RELEASES
from skerry.portal.pages.operators import catalogues, health, nodes, projects, requests
from skerry.portal.pages.operators.common import HOME, NEEDS
from skerry.portal.web.language import N_
from skerry.portal.web.pages import Navigation, Page, get, post

PAGE = Page(
    handled=(
        get(HOME, health.show),
        get(f"{HOME}nodes", nodes.show),
        post(f"{HOME}nodes/{{name}}", nodes.cordon),
        get(f"{HOME}requests", requests.show),
        post(f"{HOME}requests/{{name}}", requests.decide),
        get(f"{HOME}projects", projects.show),
        get(f"{HOME}tiers", projects.tiers),
        get(f"{HOME}catalogues", catalogues.show),
        post(f"{HOME}catalogues", catalogues.add),
        post(f"{HOME}catalogues/{{namespace}}/{{name}}/{{what}}", catalogues.act),
    ),
    navigation=Navigation(N_("Operators"), HOME, 90, "operators", NEEDS),
    caches=(NODES, PODS, PROJECTS, PROJECT_REQUESTS, RELEASES, CATALOGS, IDENTITY_PROVIDERS),
)
