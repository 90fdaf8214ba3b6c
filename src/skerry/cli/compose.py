"""`skerry compose import`: an application for Docker Compose as manifests or as a chart; `skerry.compose` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skerry.checking.check import judged
from skerry.checking.checks import Checks
from skerry.checking.facts import Facts
from skerry.cli.errors import CommandFailed
from skerry.cli.kubectl import find_program
from skerry.compose.application import Application, Choices, dns_label
from skerry.compose.chart import write_chart
from skerry.compose.loading import Unreadable, Wanted, load
from skerry.compose.notes import Note
from skerry.compose.translate import Translation, translate
from skerry.compose.writing import dump, write_manifests

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_WORDS = {"Missing": "left out", "Different": "different", "Todo": "to do"}


@click.group()
def command() -> None:
    """Applications for Docker Compose on Kubernetes.

    \b
    Example:
      skerry compose import docker-compose.yml -o pia
    """


@command.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("-o", "--output", "directory", type=click.Path(file_okay=False, path_type=Path), default=None,
              help="A new directory for the files; without it, manifests are printed.")  # fmt: skip
@click.option("--chart", is_flag=True, help="A Helm chart instead of manifests.")
@click.option("--name", default="", help="Of the application, instead of Compose's project name.")
@click.option("--profile", "profiles", multiple=True, help="Its services too; repeatable, '*' for all.")
@click.option("--env-file", "env_files", multiple=True, type=_FILE, help="Variables for the file, instead of .env.")
@click.option("--domain", default="localhost", show_default=True, help="Hosts are SERVICE.NAME.DOMAIN.")
@click.option("--host", "hosts", multiple=True, metavar="SERVICE=HOST", help="The host of a service; repeatable.")
@click.option("--storage", default="1Gi", show_default=True, help="The size of each volume.")
@click.option("--user", "users", multiple=True, metavar="SERVICE=UID[:GID]", help="As whom one runs; repeatable.")
@click.option("--strict", is_flag=True, help="Fail when something is left out.")
def import_(
    files: tuple[Path, ...],
    directory: Path | None,
    chart: bool,
    name: str,
    profiles: tuple[str, ...],
    env_files: tuple[Path, ...],
    strict: bool,
    **choices: Any,
) -> None:
    """Translate an application for Docker Compose (FILES, merged as Compose does) into manifests or a chart.

    Whatever has no counterpart, works otherwise, or is left for you to do, is named on standard error. Secrets are kept
    in a file of their own, which git is told to ignore. Nothing is applied.

    \b
    Examples:
      skerry compose import docker-compose.yml -o pia
      skerry compose import docker-compose.yml --chart -o pia-chart --host nginx=pia.example.org --user db=999
    """
    if chart and directory is None:
        raise click.UsageError("a chart needs a directory: --output")
    wanted = Wanted(find_program("docker-compose"), files, profiles, env_files, dns_label(name) if name else "")
    try:
        app = Application(load(wanted), _choices(**choices))
    except Unreadable as error:
        raise CommandFailed(str(error)) from None
    _known(app)
    made = translate(app)
    _write(made, directory, chart=chart)
    _say(made)
    if strict and any(note.kind == "Missing" for note in made.notes):
        raise SystemExit(1)


def _choices(domain: str, hosts: tuple[str, ...], storage: str, users: tuple[str, ...]) -> Choices:
    return Choices(domain, storage, dict(_pair("--host", one) for one in hosts),
                   dict(_pair("--user", one) for one in users))  # fmt: skip


def _pair(option: str, text: str) -> tuple[str, str]:
    service, given, value = text.partition("=")
    if not given or not service or not value:
        raise click.UsageError(f"{option} {text!r}: SERVICE=... is wanted")
    if option == "--user" and not all(part.isdecimal() for part in value.split(":")):
        raise click.UsageError(f"--user {text!r}: numbers are wanted, for example {service}=1000:1000")
    return service, value


def _known(app: Application) -> None:
    for option, named in (("--host", app.choices.hosts), ("--user", app.choices.users)):
        for service in named:
            if service not in app.services:
                raise click.UsageError(f"{option}: there is no service {service}; there are {', '.join(app.services)}")
    if not app.services:
        raise CommandFailed("the file has no services, or all of them have profiles: --profile")


def _write(made: Translation, directory: Path | None, *, chart: bool) -> None:
    if directory is None:
        click.echo(dump(made.objects()), nl=False)
        return
    try:
        written = write_chart(made, directory) if chart else write_manifests(made, directory)
    except OSError as error:
        why = f"cannot write {error.filename or directory}: {error.strerror}" if error.strerror else str(error)
        raise CommandFailed(why) from None
    click.echo(f"{len(written)} files in {directory}")
    if chart:
        values = f" --values {directory}/secrets.yaml" if made.secrets else ""
        click.echo(f"apply it: helm install {made.name} {directory}{values}")
    else:
        click.echo(f"apply it: kubectl apply -k {directory}")


def _say(made: Translation) -> None:
    """The notes, and what checks say without a cluster."""
    for note in made.notes:
        click.echo(_line(note), err=True)
    checks = Checks(names=frozenset({"schema", "deprecated", "policy"}))
    for finding in judged(made.objects(), Facts("default"), checks).findings:
        if finding.severity == "Error" or finding.check == "policy":
            click.echo(f"{finding.severity.lower()}: {finding}", err=True)


def _line(note: Note) -> str:
    return f"{_WORDS[note.kind]}: {note}"
