"""`skerry releases show` and `history`: one release."""

from __future__ import annotations

from collections.abc import Sequence

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.options import output_option
from skerry.cli.platform_kinds import RELEASES
from skerry.cli.printing import pairs, print_document, table
from skerry.kube.conditions import condition_of
from skerry.kube.objects import Obj, name_of

_HEADS = ("REVISION", "DEPLOYED", "STATUS", "CHART", "DESCRIPTION")


@click.command()
@click.argument("name")
@output_option
@namespace_option
@on_cluster
def show(cluster: Cluster, name: str, output: str) -> None:
    """Show one release: what it is, why it is not ready, what others changed, its notes.

    \b
    Example:
      skerry releases show notebook
    """
    release = cluster.run(lambda client, namespace: client.get(RELEASES, name, namespace))
    if output != "table":
        print_document(release, output)
        return
    click.echo(pairs(facts_of(release)))
    notes = (release.get("status") or {}).get("notes")
    if notes:
        click.echo(f"\n{notes.strip()}")


@click.command()
@click.argument("name")
@output_option
@namespace_option
@on_cluster
def history(cluster: Cluster, name: str, output: str) -> None:
    """List its revisions, the newest first.

    \b
    Example:
      skerry releases history notebook
    """
    release = cluster.run(lambda client, namespace: client.get(RELEASES, name, namespace))
    revisions = (release.get("status") or {}).get("history") or []
    if output != "table":
        print_document({"revisions": revisions}, output)
    elif not revisions:
        click.echo(f"{name} has no revisions yet")
    else:
        click.echo(table(_HEADS, [_row(one) for one in revisions]))


def facts_of(release: Obj) -> Sequence[tuple[str, str]]:
    """Names and values."""
    status, spec = release.get("status") or {}, release["spec"]
    ready, tested = condition_of(release, "Ready"), status.get("tested")
    facts = [
        ("name", name_of(release)),
        ("wanted", _wanted(spec)),
        ("runs", status.get("chart") or "-"),
        *_upstream(release),
        ("revision", str(status.get("revision") or "-")),
        ("phase", status.get("phase", "Pending")),
        (
            "ready",
            "not looked at yet" if ready is None else f"{ready['status']}, {ready['reason']}: {ready['message']}",
        ),
        ("url", ", ".join(status.get("urls") or ()) or "-"),
    ]
    if tested:
        said = "passed" if tested["passed"] else f"failed: {tested.get('message', '')}"
        facts.append(("tests", f"of revision {tested['revision']} {said}"))
    return [*facts, *(("changed", one) for one in status.get("drift") or ())]


def _wanted(spec: Obj) -> str:
    chart, git = spec.get("chart") or {}, (spec.get("source") or {}).get("git") or {}
    said = [
        chart.get("name") or chart.get("url"),
        chart.get("version"),
        git.get("url"),
        git.get("ref"),
        git.get("path"),
    ]
    return " ".join(filter(None, said)) or "manifests"


def _upstream(release: Obj) -> Sequence[tuple[str, str]]:
    """What of upstream runs, what it has, and why nobody knows."""
    status, told = release.get("status") or {}, condition_of(release, "Fetched")
    if told is None:
        return ()
    has = (status.get("source") or {}).get("revision") or "-"
    if told["status"] != "True":
        has = f"{has}, but now {told['reason']}: {told['message']}"
    return ("from", status.get("sourceRevision") or "-"), ("upstream", has)


def _row(one: Obj) -> Sequence[str]:
    return str(one["revision"]), one.get("deployed") or "-", one["status"], one["chart"], one.get("description") or ""
