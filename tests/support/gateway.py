"""The gateway of a running platform as people reach it: kubeconfigs with a token, and kubectl on them."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml

from skerry.kube.http_client import HttpClient
from skerry.kube.kubeconfig import Connection
from skerry.kube.objects import Resource
from skerry.platform.identity.gateway.asking import PREFIX
from skerry.platform.identity.sessions.sessions import Opened, Wanted
from tests.support.kubectl import Kubectl
from tests.support.people import sessions_in
from tests.support.platform import RunningPlatform

BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", namespaced=True)


async def signed_in(running: RunningPlatform, user: str) -> Opened:
    """A session of a command line."""
    return await sessions_in(running).open(Wanted(user, "CommandLine"))


def client_of(running: RunningPlatform, token: str) -> HttpClient:
    """A client of the gateway; close it."""
    return HttpClient(Connection(running.platform.url + PREFIX, ca=running.platform.ca, token=token))


def kubectl_of(running: RunningPlatform, token: str, folder: Path) -> Kubectl:
    """The real kubectl, with a token."""
    ca = base64.b64encode(running.platform.ca).decode()
    cluster = {"server": running.platform.url + PREFIX, "certificate-authority-data": ca}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "lab"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return Kubectl(path, folder / "cache")


async def allow(running: RunningPlatform, name: str, role: str, namespace: str, kind: str = "User") -> None:
    """Bind a ClusterRole to a user or group in a namespace."""
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": f"test-{role}-{name.partition('@')[0]}"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": kind, "name": name}],
    }
    await running.admin.create(BINDINGS, binding, namespace)
