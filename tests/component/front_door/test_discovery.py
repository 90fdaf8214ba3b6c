"""A FrontDoor that names kubeconfigs: servers, ports and hosts come from the clusters, over their real API."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from skerry.cli.main import main
from skerry.kube.resources import ENDPOINT_SLICES, INGRESSES, NAMESPACES, NODES, SERVICES
from tests.support.api import RunningApi, running_api

DOOR = """
apiVersion: skerry.dev/v1alpha1
kind: FrontDoor
metadata: {name: site}
spec:
  balancers: [{name: lb1, address: 10.0.1.11}]
  web:
    tls: {certificates: /etc/ssl/private/}
    routes:
    - {name: own, hosts: [mine.example.com], active: [main]}
    - {name: all, hostsOf: [main], active: [main]}
  clusters:
  - name: main
    kubeconfig: {file: main.kubeconfig, service: ingress-nginx/controller}
    ingress: {tls: {caFile: /etc/ssl/backend-certs/main.pem}}
    api: {tls: {caFile: /etc/ssl/backend-certs/main.pem}}
"""


SERVERS: Any = {
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": "kubernetes"},
    },
    "addressType": "IPv4",
    "ports": [{"name": "https", "port": 6443, "protocol": "TCP"}],
    "endpoints": [{"addresses": ["10.0.1.92"]}, {"addresses": ["10.0.1.27"]}],
}


async def render(directory: Path, document: str = DOOR) -> Result:
    (directory / "site.yaml").write_text(document)
    words = ["lb", "render", "-f", str(directory / "site.yaml"), "-o", "json"]
    return await asyncio.to_thread(CliRunner().invoke, main, words)


async def lines(directory: Path, document: str = DOOR) -> list[str]:
    answer = await render(directory, document)
    assert answer.exit_code == 0, answer.output
    text = json.loads(answer.stdout)["lb1"]["haproxy.cfg"]
    return [line.strip() for line in text.splitlines()]


async def fill(api: RunningApi, directory: Path) -> None:
    """Nodes, the Service of an ingress controller, Ingresses."""
    (directory / "main.kubeconfig").write_text(api.kubeconfig.read_text())
    apart = {"node.kubernetes.io/exclude-from-external-load-balancers": ""}
    for name, address, labels in (("b.site", "10.0.1.55", {}), ("a", "10.0.1.46", {}), ("c", "10.0.1.80", apart)):
        node: Any = {"metadata": {"name": name, "labels": labels}}
        made = await api.client.create(NODES, node)
        addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": address}]
        await api.client.update(NODES, {**made, "status": {"addresses": addresses}}, subresource="status")
    await api.client.create(NAMESPACES, {"metadata": {"name": "ingress-nginx"}})
    ports = [{"name": "http", "port": 80, "nodePort": 30080}, {"name": "https", "port": 443, "nodePort": 30443}]
    service = {"metadata": {"name": "controller", "namespace": "ingress-nginx"}}
    await api.client.create(SERVICES, {**service, "spec": {"type": "NodePort", "ports": ports}})
    await api.client.create(ENDPOINT_SLICES, SERVERS)
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    for name, hosts in (("one", ["b.example.com", "mine.example.com"]), ("two", ["*.apps.example.com"]), ("three", [])):
        rules = [{"host": host, **paths} for host in hosts] or [paths]
        await api.client.create(
            INGRESSES, {"metadata": {"name": name, "namespace": "default"}, "spec": {"rules": rules}}
        )


async def test_clusters_say_what_the_document_does_not(tmp_path: Path) -> None:
    async with running_api() as api:
        await fill(api, tmp_path)
        found = await lines(tmp_path)
        servers = [line.split()[1:3] for line in found if line.startswith("server main.")]
        assert servers[:2] == [["main.a", "10.0.1.46:30443"], ["main.b-site", "10.0.1.55:30443"]]
        rules = [line for line in found if line.startswith("use_backend")]
        assert [(line.split()[1], line.split()[-2]) for line in rules] == [
            ("web-own", "mine.example.com"),
            ("web-all", "b.example.com"),
            ("web-all", r"'^[^.]+\.apps\.example\.com$'"),
        ]
        written = DOOR.replace("ingress: {tls", "ingress: {port: 32443, servers: [{name: x, address: 10.9.9.9}], tls")
        assert any("server main.x 10.9.9.9:32443" in line for line in await lines(tmp_path, written)), "it counts more"


async def test_api_servers_are_those_of_the_service_kubernetes(tmp_path: Path) -> None:
    async with running_api() as api:
        await fill(api, tmp_path)
        servers = [line.split()[1:3] for line in await lines(tmp_path) if line.startswith("server api")]
        assert servers == [["api1", "10.0.1.27:6443"], ["api2", "10.0.1.92:6443"]]


async def test_a_cluster_that_cannot_be_asked_is_named(tmp_path: Path) -> None:
    answer = await render(tmp_path)
    assert answer.exit_code == 1
    assert answer.output.startswith("skerry: cluster main cannot be asked: ")
    async with running_api() as api:
        await fill(api, tmp_path)
        other = await render(tmp_path, DOOR.replace("ingress-nginx/controller", "ingress-nginx/other"))
        assert other.exit_code == 1
        assert 'services "other" not found' in other.output
    gone = await render(tmp_path)
    assert gone.exit_code == 1
    assert gone.output.startswith("skerry: cluster main cannot be asked: ")
