"""`skerry whoami`: who the cluster says we are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skerry.cli.cluster import Cluster, on_cluster
from skerry.cli.options import output_option
from skerry.cli.printing import pairs, print_document

if TYPE_CHECKING:
    from skerry.kube.http_client import HttpClient


@click.command()
@output_option
@on_cluster
def command(cluster: Cluster, output: str) -> None:
    """Say as whom commands act, and in which groups.

    \b
    Examples:
      skerry whoami
      skerry whoami -o json
    """
    from skerry.kube.objects import Resource

    reviews = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)

    async def ask(client: HttpClient, _: str) -> dict[str, Any]:
        review = {"apiVersion": reviews.api_version, "kind": reviews.kind}
        answer: dict[str, Any] = (await client.create(reviews, review))["status"]["userInfo"]
        return answer

    user = cluster.run(ask)
    document = {"user": user.get("username", ""), "groups": user.get("groups") or [], "extra": user.get("extra") or {}}
    if output != "table":
        print_document(document, output)
        return
    rows = [("User", document["user"]), *(("Group", group) for group in document["groups"])]
    rows += [(key, value) for key, values in document["extra"].items() for value in values]
    click.echo(pairs(rows))
