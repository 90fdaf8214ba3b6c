"""Users with client certificates of a test's API server: a kubeconfig for each, for kubectl and other clients."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from skerry.engine.api.pki import Pki, Wanted
from skerry.kube.certificates.making import issue_leaf
from skerry.kube.http_client import HttpClient
from tests.support.api import RunningApi


def kubeconfig_of(api: RunningApi, folder: Path, name: str, group: str = "") -> Path:
    """The kubeconfig of a user in at most one group, written to `folder`."""
    pki = Pki(api.server.config.paths.pki)
    authority = (pki.certificate("ca").read_bytes(), pki.key("ca").read_bytes())
    pair = issue_leaf(Wanted(name, name, organization=group), authority, datetime.now(UTC))
    (folder / f"{name}.crt").write_bytes(pair.certificate)
    (folder / f"{name}.key").write_bytes(pair.key)
    path = folder / f"{name}.kubeconfig"
    path.write_text(f"""\
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "{api.url}", certificate-authority: "{pki.certificate("ca")}"}}}}]
users: [{{name: u, user: {{client-certificate: {name}.crt, client-key: {name}.key}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u, namespace: default}}}}]
current-context: x
""")
    return path


def client_of(api: RunningApi, folder: Path, name: str, group: str = "") -> HttpClient:
    """A client over HTTP with the user's certificate; close it."""
    return HttpClient.from_kubeconfig(kubeconfig_of(api, folder, name, group))
