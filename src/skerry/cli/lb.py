"""`skerry lb`: the front door of a site, standalone balancers before one or several clusters.

Only files are made here; installing and reloading them is the balancers' business. Neighbour: the folder `front_door`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from skerry.cli.errors import CommandFailed, MachineLacks, one_line
from skerry.cli.front_door import checking, discovery, files
from skerry.cli.front_door.files import Rendered
from skerry.cli.front_door.resource import FrontDoor
from skerry.cli.printing import print_document


@click.group()
def command() -> None:
    """Balancers (haproxy, keepalived) in front of clusters.

    \b
    Example:
      skerry lb render -f site.yaml
    """


@command.command()
@click.option(
    "-f",
    "--filename",
    required=True,
    type=click.Path(allow_dash=True, dir_okay=False, path_type=Path),
    help="The FrontDoor, in YAML; - reads standard input.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the files below this directory.")
@click.option("--force", is_flag=True, help="Overwrite files that were changed by hand or made by others.")
@click.option("--check", is_flag=True, help="Have haproxy and keepalived judge the files, if they are installed here.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="How to print it, without --out.",
)
def render(filename: Path, out: Path | None, force: bool, check: bool, output: str) -> None:
    """Write the configuration of haproxy and keepalived for every balancer of a FrontDoor.

    Without --out the files are printed, the VRRP password hidden. With it they are written to
    DIR/BALANCER/haproxy.cfg, keepalived.conf and check_front_door.sh; files of others are not overwritten.
    The fields are described in docs/resources/frontdoor.md.

    \b
    Examples:
      skerry lb render -f site.yaml
      skerry lb render -f site.yaml --out build --check
      skerry lb render -f site.yaml -o json
    """
    if out and output != "text":
        raise click.UsageError("--output says how to print, --out writes files: give one of them")
    door = _read(filename)
    rendered = files.render(door)
    if check:
        _check(door, rendered)
    if out:
        _write(out, rendered, force)
    else:
        _print(rendered, output)


def _read(filename: Path) -> FrontDoor:
    import yaml

    from skerry.cli.front_door.reading import NotUsable, read

    try:
        with click.open_file(str(filename), encoding="utf-8") as file:
            text = file.read()
        documents = [one for one in yaml.safe_load_all(text) if one is not None]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CommandFailed(f"cannot read {filename}: {one_line(error)}") from None
    if len(documents) != 1:
        raise CommandFailed(f"{filename} has {len(documents)} documents: one FrontDoor is wanted")
    directory = Path.cwd() if str(filename) == "-" else filename.parent
    try:
        return read(_discovered(documents[0], directory), directory)
    except NotUsable as error:
        raise CommandFailed("\n  ".join([f"{filename} is not a usable FrontDoor:", *error.mistakes])) from None


def _discovered(document: Any, directory: Path) -> Any:
    """The document with what its clusters say, if it names kubeconfigs."""
    wanted = discovery.sources(document)
    if not wanted:
        return document
    import asyncio

    return discovery.filled(document, {one.cluster: asyncio.run(_asked(one, directory)) for one in wanted})


async def _asked(source: discovery.Source, directory: Path) -> discovery.Found:
    from skerry.kube.errors import StatusError
    from skerry.kube.kubeconfig import KubeconfigError

    try:
        return await discovery.ask(source, directory)
    except (KubeconfigError, StatusError, OSError) as error:
        raise CommandFailed(f"cluster {source.cluster} cannot be asked: {error}") from None


def _check(door: FrontDoor, rendered: list[Rendered]) -> None:
    absent = [name for name in ("haproxy", "keepalived") if checking.program(name) is None]
    verdicts = checking.check(door, rendered)
    if not verdicts:
        raise MachineLacks("neither haproxy nor keepalived is installed here: nothing can be checked")
    for name in absent:
        click.echo(f"{name} is not installed here: its files are not checked", err=True)
    wrong = [f"{one.balancer}/{one.name} is refused:\n{one.wrong}" for one in verdicts if one.wrong]
    if wrong:
        raise CommandFailed("\n".join(wrong))
    for verdict in verdicts:
        click.echo(f"{verdict.balancer}/{verdict.name} is valid", err=True)


def _write(out: Path, rendered: list[Rendered], force: bool) -> None:
    reasons = [(path, why) for one in rendered if (why := files.foreign(path := out / one.balancer / one.name))]
    if reasons and not force:
        raise CommandFailed("\n".join(f"{path} {why}: --force overwrites it" for path, why in reasons))
    try:
        files.write(out, rendered)
    except OSError as error:
        raise CommandFailed(f"cannot write {error.filename or out}: {error.strerror}") from None
    for one in rendered:
        click.echo(f"written {out / one.balancer / one.name}")


def _print(rendered: list[Rendered], output: str) -> None:
    if output != "text":
        balancers: dict[str, dict[str, Any]] = {}
        for one in rendered:
            balancers.setdefault(one.balancer, {})[one.name] = one.shown
        print_document(balancers, output)
        return
    for one in rendered:
        click.echo(f"# {one.balancer}/{one.name}\n{one.shown}")
