"""The platform's chart repository, as somebody who may push to it: where it is, and with which token.

Who signed in by `skerry login` has a token. Administrators of the cluster have a certificate, which the platform does
not know: they have a short-lived token made for the account `skerry-catalogs/publisher`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skerry.cli.errors import CommandFailed
from skerry.cli.platform_kinds import GLOBAL_NAMESPACE
from skerry.kube.records import record

if TYPE_CHECKING:
    from skerry.cli.cluster import Cluster
    from skerry.cli.signing_in.server import Server
    from skerry.kube.http_client import HttpClient
    from skerry.kube.kubeconfig import Connection

_PUBLISHER = "publisher"
_SECONDS = 600


@record
class ChartRepository:
    """One catalogue of it."""

    server: Server
    token: str
    path: str


def repository_of(cluster: Cluster, catalog: str, *, for_everybody: bool) -> ChartRepository:
    """Raises CommandFailed."""
    from skerry.cli.signing_in.server import GATEWAY, Server

    connection = cluster.connection()
    namespace = GLOBAL_NAMESPACE if for_everybody else cluster.namespace or connection.namespace
    path = f"/charts/{namespace}/{catalog}/api/charts"
    if connection.server.endswith(GATEWAY):
        ca = connection.ca.decode() if connection.ca else ""
        return ChartRepository(Server(connection.server.removesuffix(GATEWAY), ca), connection.token, path)
    url, ca, token = cluster.run(lambda client, _: _asked(client, connection))
    return ChartRepository(Server(url, ca), token, path)


async def _asked(client: HttpClient, connection: Connection) -> tuple[str, str, str]:
    """The platform's URL, whom to trust there, a token."""
    from skerry.kube.errors import Forbidden, NotFound
    from skerry.kube.resources import CONFIG_MAPS, SERVICE_ACCOUNTS

    try:
        data = (await client.get(CONFIG_MAPS, "skerry-platform", "kube-public"))["data"]
        token = connection.token
        if not token:
            wanted = {"metadata": {"name": _PUBLISHER}, "spec": {"expirationSeconds": _SECONDS}}
            made = await client.create(SERVICE_ACCOUNTS, wanted, GLOBAL_NAMESPACE, "token")
            token = str(made["status"]["token"])
    except NotFound:
        raise CommandFailed("no platform runs on this cluster: skerry status") from None
    except Forbidden as error:
        raise CommandFailed(f"{error.message}: sign in to the platform with `skerry login`") from None
    return str(data["url"]), str(data.get("ca.crt", "")), token
