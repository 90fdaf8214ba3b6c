"""Where a Kubernetes API is and who we are to it, from a kubeconfig file.

Used by `kube.http_client`. Source: `clientcmd` (client-go) and kubernetes.io "Organizing Cluster Access Using
kubeconfig Files". Ways of signing in that we do not implement (exec plug-ins, auth providers, passwords, proxies) are
refused by name, so that nobody is silently anonymous.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from skerry.kube.records import record

_UNSUPPORTED_USER = ("auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra")
_UNSUPPORTED_CLUSTER = ("proxy-url",)


class KubeconfigError(Exception):
    """The kubeconfig is missing, malformed, or asks for what Skerry does not do; the message is for the user."""


@record
class Connection:
    """One API server and one identity. Certificates and keys are PEM."""

    server: str
    """For example https://127.0.0.1:6443, without a trailing slash."""
    namespace: str = "default"
    ca: bytes | None = None
    """None: the machine's own trusted authorities."""
    client_certificate: bytes | None = None
    client_key: bytes | None = None
    token: str = ""
    token_file: Path | None = None
    """Wins over `token`; read again as it rotates."""
    verify: bool = True
    tls_server_name: str = ""

    def ssl_context(self) -> ssl.SSLContext | None:
        """The TLS settings, None for plain HTTP. Raises KubeconfigError for unusable certificates."""
        if not self.server.startswith("https://"):
            return None
        try:
            context = ssl.create_default_context(cadata=self.ca.decode() if self.ca else None)
            if self.client_certificate and self.client_key:
                _load_client_certificate(context, self.client_certificate + b"\n" + self.client_key)
        except (ssl.SSLError, ValueError) as error:
            raise KubeconfigError(f"the certificates for {self.server} cannot be used: {error}") from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def load_kubeconfig(path: Path | None = None, context: str | None = None) -> Connection:
    """The connection of a context (None: the current one). `path=None`: $KUBECONFIG, else ~/.kube/config.

    Raises KubeconfigError. Several files in $KUBECONFIG are merged as kubectl does: the first to name a thing wins.
    """
    paths = [path] if path else _default_paths()
    merged = _merge([(file, _read(file)) for file in paths])
    name = context or merged.current_context
    if not name:
        raise KubeconfigError(f"{paths[0]} has no current-context")
    chosen = merged.find("contexts", "context", name)
    cluster = merged.find("clusters", "cluster", str(chosen.get("cluster", "")))
    user = merged.find("users", "user", str(chosen["user"])) if chosen.get("user") else {}
    _refuse(user, _UNSUPPORTED_USER, f"user {chosen.get('user')!r}")
    _refuse(cluster, _UNSUPPORTED_CLUSTER, f"cluster {chosen.get('cluster')!r}")
    connection = _connection(chosen, cluster, user)
    return _with_plugin(connection, user["exec"], merged.directory_of_user(chosen)) if user.get("exec") else connection


def kubeconfig_with_token(connection: Connection, token: str, namespace: str) -> dict[str, Any]:
    """A kubeconfig of the same server for somebody else, who has a token: for programs that act as them. It says
    nothing of who we are."""
    cluster: dict[str, Any] = {"server": connection.server}
    if connection.ca:
        cluster["certificate-authority-data"] = base64.b64encode(connection.ca).decode()
    if connection.tls_server_name:
        cluster["tls-server-name"] = connection.tls_server_name
    if not connection.verify:
        cluster["insecure-skip-tls-verify"] = True
    name = "skerry"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "current-context": name,
    }


@record
class _Merged:
    """Named entries of all files: section to name to (entry, the directory its relative paths start from)."""

    current_context: str
    sections: Mapping[str, Mapping[str, tuple[Mapping[str, Any], Path]]]

    def find(self, section: str, key: str, name: str) -> dict[str, Any]:
        """An entry with its file paths made absolute. Raises KubeconfigError."""
        if name not in self.sections[section]:
            raise KubeconfigError(f"the kubeconfig has no {key} named {name!r}")
        entry, directory = self.sections[section][name]
        values = dict(entry.get(key) or {})
        for field in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
            if values.get(field):
                values[field] = directory / str(values[field])
        return values

    def directory_of_user(self, context: Mapping[str, Any]) -> Path:
        """Where the relative paths of a context's user begin."""
        return self.sections["users"][str(context["user"])][1]


def _default_paths() -> list[Path]:
    listed = [Path(entry) for entry in os.environ.get("KUBECONFIG", "").split(os.pathsep) if entry]
    existing = [path for path in listed if path.exists()]
    return existing or listed[:1] or [Path.home() / ".kube" / "config"]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise KubeconfigError(f"cannot read the kubeconfig {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise KubeconfigError(f"the kubeconfig {path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise KubeconfigError(f"the kubeconfig {path} is empty or not a mapping")
    return content


def _merge(files: Sequence[tuple[Path, Mapping[str, Any]]]) -> _Merged:
    sections: dict[str, dict[str, tuple[Mapping[str, Any], Path]]] = {"clusters": {}, "users": {}, "contexts": {}}
    current = ""
    for path, content in files:
        current = current or str(content.get("current-context") or "")
        for section, entries in sections.items():
            for entry in content.get(section) or ():
                entries.setdefault(str(entry.get("name", "")), (entry, path.parent.absolute()))
    return _Merged(current, sections)


def _refuse(entry: Mapping[str, Any], fields: Sequence[str], where: str) -> None:
    for field in fields:
        if entry.get(field):
            raise KubeconfigError(f"{where} of the kubeconfig uses {field!r}, which Skerry does not support")


def _connection(context: Mapping[str, Any], cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Connection:
    server = str(cluster.get("server", "")).rstrip("/")
    if not server.startswith(("http://", "https://")):
        raise KubeconfigError(f"the kubeconfig's server {server!r} is not an http or https address")
    return Connection(
        server=server,
        namespace=str(context.get("namespace") or "default"),
        ca=_pem(cluster, "certificate-authority"),
        client_certificate=_pem(user, "client-certificate"),
        client_key=_pem(user, "client-key"),
        token=str(user.get("token") or ""),
        token_file=user.get("tokenFile"),
        verify=not cluster.get("insecure-skip-tls-verify"),
        tls_server_name=str(cluster.get("tls-server-name") or ""),
    )


def _with_plugin(connection: Connection, entry: Mapping[str, Any], directory: Path) -> Connection:
    """As whoever the plug-in says. Raises KubeconfigError."""
    from skerry.kube.credential_plugin import PluginError, credential_of  # seldom used

    try:
        given = credential_of(entry, directory)
    except PluginError as error:
        raise KubeconfigError(f"the kubeconfig's exec plug-in gives no credentials: {error}") from None
    return replace(
        connection, token=given.token, token_file=None, client_certificate=given.certificate, client_key=given.key
    )


def _pem(entry: Mapping[str, Any], field: str) -> bytes | None:
    """`<field>-data` (base64) wins over `<field>` (a path), as in clientcmd."""
    try:
        if entry.get(f"{field}-data"):
            return base64.b64decode(str(entry[f"{field}-data"]), validate=True)
        return Path(entry[field]).read_bytes() if entry.get(field) else None
    except binascii.Error as error:
        raise KubeconfigError(f"{field}-data of the kubeconfig is not base64: {error}") from error
    except OSError as error:
        raise KubeconfigError(f"cannot read the kubeconfig's {field} {entry[field]}: {error.strerror}") from error


def _load_client_certificate(context: ssl.SSLContext, pem: bytes) -> None:
    """OpenSSL reads certificates from files only: one that nobody else can read, gone at once."""
    with tempfile.NamedTemporaryFile(prefix="skerry-", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
