"""`skerry check`: what is wrong with manifests, charts and overlays before they are applied.

`sources` reads and renders them, `skerry.checking` judges, `printed` shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from skerry.checking.checks import NAMES, WITHOUT_CLUSTER, Checks
from skerry.checking.report import Report
from skerry.cli.check.printed import print_report
from skerry.cli.check.sources import Sourced, from_chart, from_files, from_kustomize
from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed, NotRunning
from skerry.kube.records import record


@record
class Chart:
    """What `helm template` is to render."""

    path: str = ""
    name: str = ""
    values: Sequence[Path] = ()
    settings: Sequence[str] = ()


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("sources", nargs=-1, type=click.Path(exists=True, allow_dash=True, path_type=Path))
@click.option("-f", "--filename", "files", multiple=True, type=click.Path(exists=True, allow_dash=True, path_type=Path),
              help="Like SOURCES.")  # fmt: skip
@click.option("-k", "--kustomize", type=_DIRECTORY, default=None, help="A directory that kustomize renders.")
@click.option("--chart", default="", help="A chart that Helm renders: a directory, an archive, oci://...")
@click.option("--name", default="check", show_default=True, help="The chart's release.")
@click.option("--values", multiple=True, type=_FILE, help="Values for the chart; repeatable.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One value for the chart; repeatable.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="This check; repeatable.")
@click.option("--skip", multiple=True, type=click.Choice(NAMES), help="Not this check; repeatable.")
@click.option("--offline", is_flag=True, help="Ask no cluster: what needs one is left out.")
@click.option("--registries", is_flag=True, help="Ask registries for images that no node has.")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("-o", "--output", type=click.Choice(["text", "json", "yaml", "sarif"]), default="text",
              show_default=True, help="How to print it.")  # fmt: skip
@namespace_option
@on_cluster
def command(
    cluster: Cluster,
    sources: tuple[Path, ...],
    files: tuple[Path, ...],
    kustomize: Path | None,
    output: str,
    strict: bool,
    offline: bool,
    **options: object,
) -> None:
    """Say what is wrong with the manifests in SOURCES: files, directories, - for standard input.

    Looked at are their schema, versions that are gone, what the namespace refuses, secrets in clear, quota, images;
    and the API is asked in a dry run, as you. Nothing is changed.

    Exit code 1: there are errors (with --strict: or warnings).

    \b
    Examples:
      skerry check deploy/
      skerry check --chart ./chart --values staging.yaml -n lidar
      skerry check -k overlays/staging --offline -o sarif
    """
    chart = _chart(options)
    given = [
        *from_files((*sources, *files)),
        *(from_kustomize(kustomize) if kustomize else ()),
        *(from_chart(chart.path, chart.name, cluster.namespace, chart.values, chart.settings) if chart.path else ()),
    ]
    if not given:
        raise _nothing(sources, files)
    report = _checked(cluster, given, _checks(options), offline=offline)
    print_report(report, given, output)
    if report.errors or (strict and report.with_severity("Warning")):
        raise SystemExit(1)


def _chart(options: dict[str, object]) -> Chart:
    values, settings = options["values"], options["settings"]
    assert isinstance(values, tuple)
    assert isinstance(settings, tuple)
    if (values or settings) and not options["chart"]:
        raise click.UsageError("--values and --set are for --chart")
    return Chart(str(options["chart"]), str(options["name"]), values, settings)


def _nothing(sources: Sequence[Path], files: Sequence[Path]) -> Exception:
    named = ", ".join(map(str, (*sources, *files)))
    if named:
        return CommandFailed(
            f"there is no object of Kubernetes in {named} (of directories: in *.yaml, *.yml and *.json)"
        )
    return click.UsageError("there is nothing to check: name files or directories, --chart or --kustomize")


def _checks(options: dict[str, object]) -> Checks:
    only, skip = options["only"], options["skip"]
    assert isinstance(only, tuple)
    assert isinstance(skip, tuple)
    return Checks(names=frozenset(only or NAMES) - set(skip), registries=bool(options["registries"]))


def _checked(cluster: Cluster, given: Sequence[Sourced], what: Checks, *, offline: bool) -> Report:
    import asyncio

    from skerry.checking.check import check

    objects = [one.obj for one in given]
    if offline:
        if not what.names & WITHOUT_CLUSTER:
            raise click.UsageError(f"{', '.join(sorted(what.names))}: not without a cluster")
        return asyncio.run(check(None, objects, cluster.namespace or "default", what))
    try:
        return cluster.run(lambda client, namespace: check(client, objects, namespace, what))
    except NotRunning as error:
        raise NotRunning(f"{error.message}; or check without a cluster: --offline") from None
    except CommandFailed as error:
        raise CommandFailed(f"{error.message} (--offline asks no cluster)") from None
