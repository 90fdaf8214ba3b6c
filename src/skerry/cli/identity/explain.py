"""`skerry identity explain`: a dry run of a provider's rules, by the code that decides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.errors import CommandFailed, one_line
from skerry.cli.options import output_option
from skerry.cli.printing import print_document, table
from skerry.kube.objects import Obj

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient
    from skerry.platform.identity.rules.rules import Meaning
    from skerry.platform.identity.rules.told import Told


@click.command()
@click.argument("provider")
@click.argument("entitlements", nargs=-1)
@click.option("--group", "groups", multiple=True, help="A plain group name that the provider says; may be repeated.")
@click.option("--user", default="", help="What the provider said of this person last.")
@click.option(
    "-f",
    "--filename",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An IdentityProvider that is not applied yet: its rules instead of the cluster's.",
)
@output_option
@on_cluster
def explain(
    cluster: Cluster,
    provider: str,
    entitlements: tuple[str, ...],
    groups: tuple[str, ...],
    user: str,
    filename: Path | None,
    output: str,
) -> None:
    """Say which groups a provider's words come to, and why. Nothing is changed.

    \b
    Examples:
      skerry identity explain egi "urn:mace:egi.eu:group:vo.access.egi.eu:role=member#aai.egi.eu"
      skerry identity explain institute --group staff --group admins
      skerry identity explain egi --user anna@uni.example
      skerry identity explain egi --user anna@uni.example -f egi-with-other-rules.yaml
    """
    from skerry.platform.identity.rules.rules import explained
    from skerry.platform.identity.rules.told import Told
    from skerry.platform.identity.types import IdentityProviderSpec

    if not (entitlements or groups or user):
        raise click.UsageError("give what the provider says: ENTITLEMENTS, --group or --user")
    said = Told("", user, entitlements=entitlements, groups=groups)
    if user:
        said = cluster.run(lambda client, _: _told(client, user, provider, said))
    written = _in(filename) if filename else cluster.run(lambda client, _: _spec(client, provider))
    _print(explained(said, IdentityProviderSpec.of(written)), output)


async def _spec(client: HttpClient, provider: str) -> Obj:
    from skerry.kube.errors import NotFound
    from skerry.platform.identity.types import IDENTITY_PROVIDERS

    try:
        spec: Obj = (await client.get(IDENTITY_PROVIDERS, provider))["spec"]
    except NotFound:
        raise CommandFailed(f"there is no IdentityProvider {provider} (skerry kubectl get idp)") from None
    return spec


async def _told(client: HttpClient, user: str, provider: str, more: Told) -> Told:
    """What was said of a person last, beside what the command line says."""
    from dataclasses import replace

    from skerry.kube.errors import NotFound
    from skerry.platform.identity.naming import object_name
    from skerry.platform.identity.types import USERS

    try:
        found = await client.get(USERS, object_name(user))
    except NotFound:
        raise CommandFailed(f"there is no user {user} (skerry users ls)") from None
    theirs = found["spec"].get("provider", "local")
    if theirs != provider:
        raise CommandFailed(f"{user} signs in at {theirs}, not at {provider}")
    said = (found.get("status") or {}).get("told")
    if said is None:
        raise CommandFailed(f"{theirs} has said nothing of {user} yet: that is noted at the next sign-in")
    entitlements, groups = (*said.get("entitlements", ()), *more.entitlements), (*said.get("groups", ()), *more.groups)
    return replace(more, entitlements=entitlements, groups=groups)


def _in(filename: Path) -> Obj:
    """The spec of a manifest, as it would be after applying it."""
    import yaml
    from pydantic import ValidationError

    from skerry.platform.identity.types import IdentityProviderSpec

    try:
        read = yaml.safe_load(filename.read_text())
        if not isinstance(read, dict) or read.get("kind") != "IdentityProvider":
            raise CommandFailed(f"{filename} is no manifest of one IdentityProvider")
        return IdentityProviderSpec.of(read.get("spec")).dump()
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{filename} is not YAML: {one_line(error)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(one) for one in first["loc"])
        raise CommandFailed(f"{filename}: spec.{place}: {first['msg']}") from None


def _print(meanings: list[Meaning], output: str) -> None:
    if output != "table":
        listed = [{"value": one.value, "groups": list(one.groups), "why": list(one.why)} for one in meanings]
        groups = sorted({group for one in meanings for group in one.groups})
        print_document({"groups": groups, "values": listed}, output)
        return
    rows = [row for one in meanings for row in _rows(one)]
    click.echo(table(("SAID", "GROUP", "WHY"), rows) if rows else "nothing is said, so it comes to no group")


def _rows(one: Meaning) -> list[tuple[str, str, str]]:
    """As many lines as there are groups or reasons; the value stands in the first."""
    count = max(len(one.groups), len(one.why))
    groups = (*(one.groups or ("none",)), *[""] * count)
    why = (*one.why, *[""] * count)
    return [(one.value if number == 0 else "", groups[number], why[number]) for number in range(count)]
