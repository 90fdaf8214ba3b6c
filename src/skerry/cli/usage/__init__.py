"""`skerry usage`: what projects used. `reading` asks, `records` sums up, `printed` and `egi` write."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.cli.usage.printed import Sheet
    from skerry.cli.usage.records import Line, Period
    from skerry.kube.http_client import HttpClient

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_BY = ("project", "namespace", "user", "day", "month")
_OF_REPORTS = {"namespace": "namespaces", "user": "users", "day": "days"}


@record
class _Wanted:
    """`project` "": all; `by` "": what fits."""

    project: str
    begins: date | None
    ends: date | None
    by: str
    output: str

    @property
    def grouping(self) -> str:
        """What to sum up by."""
        return self.by or ("day" if self.project else "project")


@click.command()
@click.argument("project", default="")
@click.option("--from", "begins", type=_DAY, help="The first day; of this month unless given.")
@click.option("--to", "ends", type=_DAY, help="The last day; today unless given.")
@click.option("--by", type=click.Choice(_BY), help="What to sum up by: days of one project, or projects.")
@click.option("--site", help="With -o egi: the site's name in GOCDB.")
@click.option("--service", default="", help="With -o egi: which of the site's cloud services.")
@click.option("--vo", default="", help="With -o egi: the virtual organisation that all of it is for.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "csv", "json", "yaml", "egi"]),
    default="table",
    show_default=True,
    help="How to print it; egi: accounting records for APEL.",
)
@on_cluster
def command(
    cluster: Cluster,
    project: str,
    begins: datetime | None,
    ends: datetime | None,
    by: str | None,
    output: str,
    **publisher: str,
) -> None:
    """Show what a PROJECT used, or all of them: CPU, memory, GPUs, storage and what was sent, by day.

    Operators read the ledger. Members of a project read the report of its last 31 days.

    \b
    Examples:
      skerry usage
      skerry usage lidar --by user
      skerry usage --from 2026-11-01 --to 2026-11-30 -o csv
      skerry usage --from 2026-11-01 -o egi --site EXAMPLE-SITE --vo vo.example.eu
    """
    wanted = _Wanted(project, begins and begins.date(), ends and ends.date(), by or "", output)
    if output == "egi":
        _print_records(cluster, wanted, publisher)
        return
    from skerry.cli.usage.printed import print_sheet

    print_sheet(cluster.run(lambda client, _: _sheet(client, wanted)), output)


def _print_records(cluster: Cluster, wanted: _Wanted, publisher: dict[str, str]) -> None:
    from skerry.cli.usage.egi import Publisher, message
    from skerry.cli.usage.reading import read_ledger

    if not publisher["site"]:
        raise click.UsageError("-o egi needs --site: the site's name in GOCDB")
    period = _period(wanted)
    lines = cluster.run(lambda client, _: read_ledger(client, wanted.project, period))
    if any(line.is_month for line in lines):
        raise CommandFailed("accounting records are by day, and days of so long ago are not kept: see --from")
    click.echo(message(lines, Publisher(**publisher), datetime.now(UTC)), nl=False)


def _period(wanted: _Wanted) -> Period:
    from skerry.cli.usage.records import Period

    today = datetime.now(UTC).date()
    ends = wanted.ends or today
    begins = wanted.begins or ends.replace(day=1)
    if begins > ends:
        raise click.UsageError(f"--from {begins} is after --to {ends}")
    return Period(begins, ends)


async def _sheet(client: HttpClient, wanted: _Wanted) -> Sheet:
    from skerry.cli.usage.reading import read_ledger
    from skerry.kube.errors import Forbidden
    from skerry.platform.usage.projects import PROJECTS

    try:
        lines = await read_ledger(client, wanted.project, _period(wanted))
    except Forbidden:
        return await _reported(client, wanted)
    if wanted.project and not lines:
        await client.get(PROJECTS, wanted.project)  # NotFound says what no use of it means
    return _summed(lines, wanted.grouping)


def _summed(lines: list[Line], by: str) -> Sheet:
    from skerry.cli.usage.printed import Sheet
    from skerry.cli.usage.records import grouped
    from skerry.platform.usage.amounts import total_of
    from skerry.platform.usage.types import hours_of

    sums = grouped(lines, by)
    rows = {name: hours_of(amounts).dump() for name, amounts in sums.items()}
    return Sheet(by, rows, hours_of(total_of(sums.values())).dump())


async def _reported(client: HttpClient, wanted: _Wanted) -> Sheet:
    from skerry.cli.usage.printed import Sheet
    from skerry.cli.usage.reading import read_report

    if not wanted.project:
        raise CommandFailed("only operators see all projects: name yours, `skerry usage PROJECT`")
    if wanted.begins or wanted.ends or wanted.grouping not in _OF_REPORTS:
        raise CommandFailed(
            "only operators read the whole ledger: a project's report has its last 31 days, by day, namespace or user"
        )
    status = await read_report(client, wanted.project)
    listed = status.get(_OF_REPORTS[wanted.grouping]) or []
    rows = {one["name"]: {field: value for field, value in one.items() if field != "name"} for one in listed}
    return Sheet(wanted.grouping, rows, status.get("total") or {}, f"the last 31 days, as of {status.get('updated')}")
