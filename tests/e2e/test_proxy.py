"""HTTP through the API server to pods and services, as `kubectl get --raw` and `kubectl proxy` users do."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tests.support.program import Program, eventually
from tests.support.waiting import WITHIN

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:test
    ports: [{containerPort: 8080}]
    command: [sh, -c, "mkdir -p /www/a; echo '<a href=\\"/b\\">page</a>' > /www/index.html; echo hello > /www/a/x.txt;
      exec httpd -f -p 8080 -h /www"]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: site}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
"""


def test_pods_and_services_through_the_api_server(program: Program, namespace: str) -> None:
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=MANIFEST)
    program.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/web", WITHIN)
    base = f"/api/v1/namespaces/{namespace}"

    def raw(path: str, check: bool = True) -> str:
        done = program.kubectl("get", "--raw", f"{base}{path}", check=check)
        return done.stdout if done.returncode == 0 else done.stderr

    assert raw("/pods/web/proxy/a/x.txt") == "hello\n"
    assert raw("/pods/http:web:8080/proxy/") == f'<a href="{base}/pods/http:web:8080/proxy/b">page</a>\n'
    eventually(lambda: raw("/services/site:80/proxy/a/x.txt", check=False) == "hello\n", "the service's endpoints")
    assert raw("/services/site:http/proxy/a/x.txt") == "hello\n"
    node = program.kubectl("get", "nodes", "-o", "name").stdout.strip()
    asked = f"/api/v1/nodes/{node.removeprefix('node/')}:10250/proxy"
    assert program.kubectl("get", "--raw", f"{asked}/healthz").stdout == "ok"
    assert '"PodList"' in program.kubectl("get", "--raw", f"{asked}/pods").stdout
    summary = json.loads(program.kubectl("get", "--raw", f"{asked}/stats/summary").stdout)
    (web,) = [pod for pod in summary["pods"] if pod["podRef"]["namespace"] == namespace]
    assert web["memory"]["workingSetBytes"] > 0
    assert [one["name"] for one in web["containers"]] == ["main"]
    assert summary["node"]["fs"]["capacityBytes"] > 0
    for page, series in (("", "kubelet_running_pods"), ("/resource", "container_cpu_usage_seconds_total"),
                         ("/cadvisor", "container_memory_working_set_bytes")):  # fmt: skip
        assert series in program.kubectl("get", "--raw", f"{asked}/metrics{page}").stdout
    assert f'"namespace":"{namespace}"' in program.kubectl("get", "--raw", f"{asked}/runningpods/").stdout
    assert "not supported" in program.kubectl("get", "--raw", f"{asked}/logs/", check=False).stderr
    assert "no service port 99 found" in raw("/services/site:99/proxy/", check=False)
    assert "NotFound" in raw("/pods/web/proxy/none", check=False)


ECHO = """
apiVersion: v1
kind: Pod
metadata: {name: echo, labels: {app: echo}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:test
    ports: [{containerPort: 8081}]
    command: [nc, -ll, -p, "8081", -e, /bin/sh, -c]
    args: ["while read -r line && [ ${#line} -gt 1 ]; do :; done;
      printf 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: own\\r\\nConnection: Upgrade\\r\\n\\r\\n'; exec cat"]
    readinessProbe: {tcpSocket: {port: 8081}, periodSeconds: 1}
"""


def test_another_protocol_through_the_proxy_of_a_pod(program: Program, namespace: str, tmp_path: Path) -> None:
    program.kubectl("apply", "-n", namespace, "-f", "-", stdin=ECHO)
    program.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/echo", WITHIN)
    with _connection(program, tmp_path) as connection, connection.makefile("rwb") as stream:
        head = f"GET /api/v1/namespaces/{namespace}/pods/echo/proxy/ HTTP/1.1\r\nhost: x\r\n"
        stream.write(f"{head}connection: Upgrade\r\nupgrade: own\r\n\r\n".encode())
        stream.flush()
        assert stream.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while stream.readline() != b"\r\n":
            pass
        for line in (b"there\n", b"and back\n"):
            stream.write(line)
            stream.flush()
            assert stream.readline() == line


def _connection(program: Program, folder: Path) -> ssl.SSLSocket:
    """To the API, as the administrator."""
    config = yaml.safe_load(program.kubeconfig.read_text())
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
    pem = folder / "admin.pem"
    pem.write_bytes(b"".join(base64.b64decode(user[f"client-{part}-data"]) for part in ("certificate", "key")))
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    context.load_cert_chain(pem)
    server = urlsplit(cluster["server"])
    plain = socket.create_connection((server.hostname or "", server.port or 443), timeout=60)
    return context.wrap_socket(plain, server_hostname=server.hostname)
