"""`skerry releases diff`: what two revisions differ in; what others changed in what runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, namespace_option, on_cluster
from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import RELEASES

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient
    from skerry.platform.releases.helm.storage import HelmRevision


@click.command()
@click.argument("name")
@click.argument("before", type=int, required=False)
@click.argument("after", type=int, required=False)
@click.option("--manifests", is_flag=True, help="What was applied, instead of the values.")
@namespace_option
@on_cluster
def diff(cluster: Cluster, name: str, before: int | None, after: int | None, manifests: bool) -> None:
    """Compare the values of revisions BEFORE and AFTER, by default the last two.

    \b
    Examples:
      skerry releases diff notebook
      skerry releases diff notebook 1 4 --manifests
    """
    revisions = cluster.run(lambda client, namespace: _revisions(client, name, namespace))
    known = {one.revision: one for one in revisions}
    later = after or max(known, default=0)
    earlier = before or max((one for one in known if one < later), default=0)
    for number in (earlier, later):
        if number not in known:
            raise CommandFailed(f"{name} has no two such revisions; it has: {', '.join(map(str, sorted(known)))}")
    lines = compared(known[earlier], known[later], manifests=manifests)
    click.echo("\n".join(lines) or f"revisions {earlier} and {later} are the same")


def compared(one: HelmRevision, other: HelmRevision, *, manifests: bool) -> Sequence[str]:
    """Lines as of `diff -u`."""
    from difflib import unified_diff

    texts = [each.manifest if manifests else _yaml(each.values) for each in (one, other)]
    before, after = (f"revision {each.revision} ({each.chart})" for each in (one, other))
    return list(unified_diff(texts[0].splitlines(), texts[1].splitlines(), before, after, lineterm=""))


def _yaml(values: Any) -> str:
    import yaml

    return yaml.safe_dump(values, sort_keys=True) if values else ""


async def _revisions(client: HttpClient, name: str, namespace: str) -> Sequence[HelmRevision]:
    from skerry.platform.releases.helm.storage import revisions_of

    spec = (await client.get(RELEASES, name, namespace))["spec"]
    return await revisions_of(client, spec.get("targetNamespace") or namespace, spec.get("releaseName") or name)
