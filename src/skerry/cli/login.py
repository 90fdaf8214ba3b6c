"""`skerry login`: sign in to a platform, and have kubectl and everything else use it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from skerry.cli.errors import CommandFailed
from skerry.cli.options import data_dir_option

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("url", default="")
@click.option("--ca", type=_FILE, help="The certificate of the platform's authority, PEM.")
@click.option("--fingerprint", default="", help="SHA-256 of that certificate, which is then fetched.")
@click.option("--device", is_flag=True, help="Type a code in a browser elsewhere: this machine needs none.")
@click.option("--no-browser", is_flag=True, help="Only print the address to open on this machine.")
@click.option("--kubeconfig", type=_FILE, help="The file to write to, instead of kubectl's usual one.")
@click.option("-n", "--namespace", default="", help="Where commands work when they are not told.")
@click.option("--show-fingerprint", is_flag=True, help="Print what to tell people, and sign nobody in.")
@data_dir_option
def command(
    url: str, ca: Path | None, fingerprint: str, data_dir: Path, show_fingerprint: bool, **how: bool | str | Path | None
) -> None:
    """Sign in to a platform: the one at URL, else that of this machine, else the last one.

    Writes a context to the kubeconfig and makes it the current one. Tokens are renewed as long as the session lasts
    (a week), and end at once with it, with your membership, or with `skerry logout`.

    \b
    Examples:
      skerry login https://skerry.example.org:7443
      skerry login https://skerry.example.org:7443 --device
      skerry login --show-fingerprint
    """
    from skerry.cli.signing_in.choosing import chosen

    server = chosen(url, ca, fingerprint, data_dir)
    if show_fingerprint:
        _show(server.url, server.ca)
        return
    from skerry.cli.signing_in.browser import by_browser
    from skerry.cli.signing_in.device import by_device
    from skerry.cli.signing_in.entry import add, default_file
    from skerry.cli.signing_in.kept import keep

    server.check()
    tokens = by_device(server) if how["device"] else by_browser(server, opens=not how["no_browser"])
    file = how["kubeconfig"]
    path = file if isinstance(file, Path) else default_file()
    name = add(path, keep(server, tokens), str(how["namespace"]))
    click.echo(f"Signed in: {name} is the current context of {path}. `skerry whoami` says who you are.")
    if _is_administrators(data_dir):
        click.echo(f"You may also act as this machine's administrator, which skerry prefers: export KUBECONFIG={path}")


def _is_administrators(data_dir: Path) -> bool:
    """Whether commands would take the instance's own kubeconfig instead."""
    from skerry.cli.instance_files import find_instance

    try:
        return not os.environ.get("KUBECONFIG") and find_instance(data_dir) is not None
    except CommandFailed:
        return False


def _show(url: str, ca: str) -> None:
    from skerry.cli.signing_in.server import fingerprint_of

    if not ca:
        raise CommandFailed(f"{url} is trusted as this machine trusts others: nobody needs a fingerprint")
    click.echo(f"skerry login {url} --fingerprint {fingerprint_of(ca)}")
