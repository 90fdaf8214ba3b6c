"""Asks the cluster: the ledger, or for those who may not read it the report of their own project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.cli.errors import CommandFailed
from skerry.cli.usage.records import Line, Period, lines_of
from skerry.kube.client import Selection
from skerry.kube.objects import Obj, Resource
from skerry.platform.usage.projects import PROJECT_LABEL, PROJECTS, home_of
from skerry.platform.usage.reporting.making import RECENT
from skerry.platform.usage.types import USAGE_DAYS, USAGE_MONTHS, USAGE_REPORTS

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_PART = 500


async def read_ledger(client: HttpClient, project: str, period: Period) -> list[Line]:
    """Of one project, or of all when it is "". Raises Forbidden for who is no operator, StatusError, OSError."""
    days = await _all(client, USAGE_DAYS, project)  # first: a day that moves into its month meanwhile is there twice
    return lines_of(days, await _all(client, USAGE_MONTHS, project), period)


async def _all(client: HttpClient, resource: Resource, project: str) -> list[Obj]:
    selection = Selection(label_selector=f"{PROJECT_LABEL}={project}" if project else "")
    found: list[Obj] = []
    token = ""
    while True:
        part = await client.list(resource, None, selection, limit=_PART, next_token=token)
        found, token = [*found, *part.items], part.next_token
        if not token:
            return found


async def read_report(client: HttpClient, project: str) -> Obj:
    """The status of the report of a project's last days. Raises CommandFailed, StatusError, OSError."""
    from skerry.kube.errors import Forbidden, NotFound

    try:
        home = home_of(await client.get(PROJECTS, project))
    except (Forbidden, NotFound):
        home = project
    try:
        status: Obj = (await client.get(USAGE_REPORTS, RECENT, home)).get("status") or {}
    except Forbidden:
        raise CommandFailed(f"you may not see what project {project} used: its owner can make you a member") from None
    except NotFound:
        raise CommandFailed(f"project {project} has used nothing yet, or there is no such project") from None
    return status
