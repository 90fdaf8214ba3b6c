"""`skerry token`: the credential plug-in that `skerry login` writes into kubeconfigs.

Source: kubernetes.io, "client-go credential plugins"; `client.authentication.k8s.io/v1`. kubectl runs it for every
command, so that it imports little.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click


@click.command()
@click.argument("name", default="")
def command(name: str) -> None:
    """Print a token for kubectl, as its plug-ins do: renewed when it is about to end. NAME is that of the context.

    \b
    Examples:
      skerry token skerry-skerry.example.org-7443
    """
    from skerry.cli.signing_in.choosing import kept_name
    from skerry.cli.signing_in.kept import current

    kept = current(name or kept_name(""))
    ends = datetime.fromtimestamp(int(kept.expires), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    status = {"token": kept.access, "expirationTimestamp": ends}
    click.echo(
        json.dumps({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status})
    )
