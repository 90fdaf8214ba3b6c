"""`skerry logout`: end the session, here and at the platform."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.cli.errors import CommandFailed


@click.command()
@click.argument("url", default="")
@click.option(
    "--kubeconfig", type=click.Path(dir_okay=False, path_type=Path), help="The file that `skerry login` wrote to."
)
def command(url: str, kubeconfig: Path | None) -> None:
    """Sign out of the platform at URL; without it, of the only one you are signed in to.

    Tokens stop working at once, also in copies of them, and what runs with them is cut off.

    \b
    Examples:
      skerry logout
      skerry logout https://skerry.example.org:7443
    """
    from skerry.cli.signing_in.choosing import kept_name
    from skerry.cli.signing_in.entry import default_file, remove
    from skerry.cli.signing_in.kept import find, forget
    from skerry.cli.signing_in.server import Server

    name = kept_name(url)
    kept = find(name)
    if kept is None:
        raise CommandFailed(f"nobody is signed in to {url}")
    try:
        Server(kept.url, kept.ca).revoke(kept.refresh)
    except CommandFailed as error:
        raise CommandFailed(f"still signed in, as the session could not be ended: {error.message}") from None
    forget(name)
    remove(kubeconfig or default_file(), name)
    click.echo(f"Signed out of {kept.url}.")
