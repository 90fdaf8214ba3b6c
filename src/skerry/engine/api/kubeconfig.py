"""Kubeconfigs of administrators: files only their owner may read, certificates inside."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from skerry.engine.api.pki import ADMIN, PLATFORM, Pki
from skerry.engine.private_files import write_private

_FILES = {ADMIN: "admin", PLATFORM: "platform"}


def kubeconfig(server: str, pki: Pki, user: str = ADMIN) -> str:
    """The kubeconfig's text (YAML). `server` is the API's URL, `user` ADMIN or PLATFORM. Compression is off: it costs
    more than it saves here."""

    def embedded(path: Path) -> str:
        return b64encode(path.read_bytes()).decode()

    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: skerry
  cluster:
    server: {server}
    certificate-authority-data: {embedded(pki.certificate("ca"))}
    disable-compression: true
users:
- name: {user}
  user:
    client-certificate-data: {embedded(pki.certificate(_FILES[user]))}
    client-key-data: {embedded(pki.key(_FILES[user]))}
contexts:
- name: skerry
  context:
    cluster: skerry
    user: {user}
    namespace: default
current-context: skerry
"""


def write_kubeconfig(path: Path, server: str, pki: Pki, user: str = ADMIN) -> None:
    """Write it, 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, kubeconfig(server, pki, user).encode())
