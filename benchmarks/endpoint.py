"""Where an API is and how to be let in: read from a kubeconfig."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from benchmarks.load import Spec


@dataclass(frozen=True)
class Endpoint:
    """An address, the authority (PEM) that signed its certificate, and our certificate and key (PEM)."""

    host: str
    port: int
    authority: str
    identity: str

    def spec(self, method: str, path: str, connections: int, seconds: float, body: str = "") -> Spec:
        """A load on this endpoint."""
        return Spec(self.host, self.port, self.authority, self.identity, method, path, connections, seconds, body)


def of_kubeconfig(path: Path) -> Endpoint:
    """The first cluster and user of a kubeconfig that embeds its certificates."""
    config = yaml.safe_load(path.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    address = urlsplit(cluster["server"])
    assert address.hostname
    identity = _decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"])
    authority = _decoded(cluster["certificate-authority-data"])
    return Endpoint(address.hostname, address.port or 443, authority, identity)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
