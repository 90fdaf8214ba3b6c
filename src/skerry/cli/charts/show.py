"""`skerry charts show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from skerry.cli.charts.finding import archive_of, entry_of, version_of
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.options import output_option
from skerry.cli.printing import pairs, print_document, table
from skerry.kube.objects import Obj, namespace_of

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient

_FILES = {"values": "values.yaml", "schema": "values.schema.json", "readme": "README.md"}


@click.command()
@click.argument("chart")
@click.option("--version", default="", help="Of which version; its newest unless given.")
@click.option("--values", "part", flag_value="values", help="Print its values.yaml.")
@click.option("--schema", "part", flag_value="schema", help="Print its values.schema.json.")
@click.option("--readme", "part", flag_value="readme", help="Print its README.md.")
@output_option
@namespace_option
@on_cluster
def show(cluster: Cluster, chart: str, version: str, part: str | None, output: str) -> None:
    """Show CHART (a name, or catalog/name): what it is, its versions, its values.

    \b
    Examples:
      skerry charts show jupyterlab
      skerry charts show skerry/postgresql --values
    """
    if part is not None:
        click.echo(cluster.run(lambda client, namespace: _file(client, namespace, chart, version, _FILES[part])))
        return
    entry = cluster.run(lambda client, namespace: entry_of(client, chart, namespace))
    if output != "table":
        print_document(entry, output)
        return
    click.echo(pairs(_facts(entry)))
    rows = [_row(one) for one in entry["spec"].get("versions") or ()]
    click.echo("\n" + table(("VERSION", "APP", "CREATED", "KEPT"), rows))


async def _file(client: HttpClient, namespace: str, chart: str, version: str, file: str) -> str:
    from skerry.kube.resources import CONFIG_MAPS

    entry = await entry_of(client, chart, namespace)
    kept = await client.get(CONFIG_MAPS, archive_of(entry, version_of(entry, version)), namespace_of(entry))
    text = (kept.get("data") or {}).get(file)
    if text is None:
        raise CommandFailed(f"{chart} has no {file}")
    return str(text).rstrip("\n")


def _facts(entry: Obj) -> list[tuple[str, str]]:
    spec = entry["spec"]
    people = [one.get("name") or one.get("email") or "" for one in spec.get("maintainers") or ()]
    return [
        ("chart", f"{spec['catalog']}/{spec['name']}"),
        ("namespace", namespace_of(entry)),
        ("name", spec.get("displayName") or spec["name"]),
        ("description", " ".join(spec.get("description", "").split()) or "-"),
        ("keywords", ", ".join(spec.get("keywords") or ()) or "-"),
        ("maintainers", ", ".join(filter(None, people)) or "-"),
        ("home", spec.get("home") or "-"),
        *([("deprecated", "yes")] if spec.get("deprecated") else []),
    ]


def _row(version: Obj) -> tuple[str, ...]:
    kept = "pinned" if version.get("pinned") else "yes" if version.get("archive") else "no"
    return version["version"], version.get("appVersion") or "-", str(version.get("created") or "-"), kept
