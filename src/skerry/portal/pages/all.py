"""The pages there are: the one list to add a new one to."""

from __future__ import annotations

from skerry.portal.pages import account, catalogue, chart, launch, progress, project, projects, requests
from skerry.portal.pages.app import pages as app
from skerry.portal.pages.operators import pages as operators
from skerry.portal.web.pages import Page

PAGES: tuple[Page, ...] = (
    projects.PAGE,
    project.PAGE,
    requests.PAGE,
    catalogue.PAGE,
    chart.PAGE,
    launch.PAGE,
    progress.PAGE,
    app.PAGE,
    operators.PAGE,
    account.PAGE,
)
