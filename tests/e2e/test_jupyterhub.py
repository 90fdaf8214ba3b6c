"""JupyterHub with KubeSpawner and its own proxy: a person's server is a pod, from the spawn to its end.

The hub runs in a pod as on any cluster, under a service account with the rights that are written for it here. Hub and
servers are of the catalogue's images; its chart is test_jupyterhub_chart's. The hub shares the host's network to reach
the proxy, which is a program of the host.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import random
import secrets
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.charts import build_images
from tests.support.javascript import Javascript
from tests.support.program import Program, eventually
from tests.support.waiting import WITH_IMAGES

# a refusal while the hub starts leaves its socket to the garbage collector
pytestmark = [
    pytest.mark.timeout(WITH_IMAGES),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]
NAMESPACE = "hub"
CONFIG = """
import os
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = os.environ["PROXY_URL"]
c.JupyterHub.hub_bind_url = c.JupyterHub.hub_connect_url = os.environ["HUB_URL"]
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = os.environ["PROXY_API"]
c.JupyterHub.services = [{"name": "tests", "api_token": os.environ["TESTS_TOKEN"]}]
c.JupyterHub.load_roles = [
    {"name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers", "access:servers", "read:hub"]}
]
c.JupyterHub.cleanup_servers = False
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
c.KubeSpawner.image = "skerry.local/jupyterlab:1.0.0"
c.KubeSpawner.cmd = ["jupyterhub-singleuser"]
c.KubeSpawner.start_timeout = c.KubeSpawner.http_timeout = 200
c.KubeSpawner.poll_interval = 1
c.KubeSpawner.extra_labels = {"team": "sea"}
c.KubeSpawner.environment = {"PYTHONDONTWRITEBYTECODE": "1"}
c.KubeSpawner.uid = 1000
c.KubeSpawner.mem_limit = "512M"
c.KubeSpawner.delete_grace_period = 1
"""
MANIFEST = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: hub}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: hub}
rules:
- apiGroups: [""]
  resources: [pods, persistentvolumeclaims, secrets, services]
  verbs: [get, watch, list, create, delete]
- {apiGroups: [""], resources: [events], verbs: [get, watch, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: hub}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: hub}
subjects: [{kind: ServiceAccount, name: hub, namespace: hub}]
---
apiVersion: v1
kind: Pod
metadata: {name: anchor}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: main, image: "busybox:test", command: [sleep, "1000"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: hub, labels: {component: hub}}
spec:
  serviceAccountName: hub
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
  - name: hub
    image: skerry.local/jupyterhub:1.0.0
    imagePullPolicy: IfNotPresent
    command: [jupyterhub, -f, /etc/jupyterhub/config.py]
    envFrom: [{secretRef: {name: hub}}]
    workingDir: /srv
    volumeMounts: [{name: config, mountPath: /etc/jupyterhub}, {name: state, mountPath: /srv}]
  volumes:
  - {name: config, configMap: {name: hub}}
  - {name: state, emptyDir: {}}
"""


@dataclass(frozen=True, slots=True)
class Hub:
    """A running hub, through its proxy."""

    url: str
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(code, parsed answer) of the hub's API, or of a server when `path` begins with /user."""
        address = f"{self.url}{path if path.startswith('/user/') else '/hub/api' + path}"
        with self._open(method, address, body) as answer:
            text = answer.read().decode()
        return answer.status, json.loads(text) if text else None

    def progress(self, user: str) -> list[Any]:
        """The events of a spawn, until it is over."""
        with self._open("GET", f"{self.url}/hub/api/users/{user}/server/progress") as answer:
            return [json.loads(line[5:]) for line in answer if line.startswith(b"data:")]

    def server(self, user: str) -> Any:
        """The person's server as the hub sees it, None when there is none."""
        return self.ask("GET", f"/users/{user}")[1]["servers"].get("")

    def _open(self, method: str, address: str, body: Any = None) -> Any:
        headers = {"Authorization": f"token {self.token}"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(address, data, headers, method=method)
        return urllib.request.urlopen(request, timeout=240)


@pytest.fixture(scope="module")
def hub(program: Program, javascript: Javascript) -> Iterator[Hub]:
    build_images(program, "jupyterhub", "jupyterlab")
    networks = json.loads((program.data_dir / "status.json").read_text())["networks"]
    gateway = next(ipaddress.ip_network(networks["pods"]).hosts())
    proxy, api, own = _free_ports(3)
    addresses = {
        "PROXY_URL": f"http://127.0.0.1:{proxy}",
        "PROXY_API": f"http://127.0.0.1:{api}",
        "HUB_URL": f"http://{gateway}:{own}",
        "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(),
        "TESTS_TOKEN": secrets.token_hex(),
    }
    with _proxy(javascript, proxy, api, addresses):
        _start_hub(program, addresses)
        running = Hub(addresses["PROXY_URL"], addresses["TESTS_TOKEN"])
        eventually(lambda: running.ask("GET", "/info")[0] == 200, "the hub", 240)
        yield running
        program.kubectl("delete", "namespace", NAMESPACE)


def _proxy(javascript: Javascript, port: int, api: int, addresses: dict[str, str]) -> Any:
    ports = ("--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(api))
    rest = ("--default-target", addresses["HUB_URL"], "--log-level", "error")
    words = [*javascript.command("configurable-http-proxy"), *ports, *rest]
    return _Ended(subprocess.Popen(words, env={**os.environ, **addresses}))


@dataclass(frozen=True, slots=True)
class _Ended:
    """Ends a process with the block."""

    process: subprocess.Popen[bytes]

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def _start_hub(program: Program, addresses: dict[str, str]) -> None:
    program.kubectl("create", "namespace", NAMESPACE)
    metadata = {"name": "hub", "namespace": NAMESPACE}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": addresses}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"config.py": CONFIG}}
    for one in (secret, config):
        program.apply(json.dumps(one))

    program.kubectl("apply", "-n", NAMESPACE, "-f", "-", stdin=MANIFEST)


def _free_ports(count: int) -> list[int]:
    """Below those that the kernel gives to whoever asks for any, and below node ports: nobody takes them meanwhile."""
    free: list[int] = []
    for port in random.sample(range(20_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("", port)):
            free.append(port)
    return free[:count]


def _pods(program: Program) -> list[Any]:
    pods: list[Any] = program.get("-n", NAMESPACE, "pods", "-l", "component=singleuser-server")["items"]
    return pods


def _spawn(hub: Hub, user: str) -> list[Any]:
    hub.ask("POST", f"/users/{user}")
    code, _ = hub.ask("POST", f"/users/{user}/server", {})
    assert code in (201, 202)
    return hub.progress(user)


def test_a_server_is_spawned_used_and_stopped(hub: Hub, program: Program) -> None:
    events = _spawn(hub, "ana")
    assert events[-1].get("ready"), events
    told = " ".join(event["message"] for event in events)
    for word in ("Successfully assigned hub/jupyter-ana", "Container started"):
        assert word in told
    (pod,) = _pods(program)
    assert pod["metadata"]["labels"]["team"] == "sea"
    assert pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "536870912"
    code, status = hub.ask("GET", "/user/ana/api/status")
    assert (code, status["kernels"]) == (200, 0)
    assert hub.ask("DELETE", "/users/ana/server")[0] in (202, 204)
    eventually(lambda: hub.server("ana") is None, "the server's end")
    assert _pods(program) == []


def test_a_pod_that_somebody_deletes_is_noticed(hub: Hub, program: Program) -> None:
    assert _spawn(hub, "ben")[-1].get("ready")
    (pod,) = _pods(program)
    program.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"])
    eventually(lambda: hub.server("ben") is None, "the hub to notice")
    assert _pods(program) == []


def test_the_rights_of_the_hub_end_at_its_namespace(hub: Hub, program: Program) -> None:
    account = f"--as=system:serviceaccount:{NAMESPACE}:hub"
    assert program.kubectl("auth", "can-i", "create", "pods", "-n", NAMESPACE, account).stdout == "yes\n"
    assert program.kubectl("auth", "can-i", "create", "pods", "-n", "default", account, check=False).stdout == "no\n"
