"""Asks the platform behind a kubeconfig's gateway. Raises CommandFailed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skerry.cli.cluster import Cluster
from skerry.cli.errors import CommandFailed

_PATH = "/identity/tokens"


def ask(cluster: Cluster, method: str, name: str = "", said: Mapping[str, Any] | None = None) -> Any:
    """One request to the tokens' own address, as whoever the kubeconfig says."""
    from skerry.cli.signing_in.server import GATEWAY, Server

    connection = cluster.connection()
    if not connection.server.endswith(GATEWAY) or not connection.token:
        raise CommandFailed("this kubeconfig does not lead through the platform: sign in with `skerry login`")
    server = Server(connection.server.removesuffix(GATEWAY), connection.ca.decode() if connection.ca else "")
    return server.json(method, f"{_PATH}/{name}" if name else _PATH, connection.token, said)
