"""A new host with a certificate of an ACME server: from the creation of its Ingress until TLS is served with it.

pebble is the server; it looks for answers where the Ingress serves. The floor is Caddy's own ACME client with the same
server: a host added through its admin API, without objects, Secrets or a controller. Medians of several hosts.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.dns_servers import free_port
from tests.support.pebble import Pebble, pebble, running_program
from tests.support.waiting import eventually, until

from benchmarks.namespaces import temporary_namespace
from benchmarks.results import Row
from skerry.kube.conditions import condition_is_true
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import INGRESSES

_ISSUERS = Resource("cert-manager.io", "v1", "clusterissuers", "ClusterIssuer", namespaced=False)
_NAMESPACE, _ISSUER = "skerry-bench-acme", "skerry-bench-acme"
_HOSTS = 5
_PAUSE = 0.01  # seconds between two looks
_TARGET = 2.0


async def measure(client: HttpClient) -> Row:
    """The row. The engine runs, as its only instance on this machine."""
    with tempfile.TemporaryDirectory(prefix="skerry-bench-acme-") as folder, pebble(Path(folder), http_port=80) as acme:
        async with temporary_namespace(client, _NAMESPACE):
            ours = await _ours(client, acme)
    with tempfile.TemporaryDirectory(prefix="skerry-bench-acme-") as folder:
        floor = await _caddy_alone(Path(folder))
    return Row("new host with ACME certificate", ours, "s", floor, _TARGET)


async def _ours(client: HttpClient, acme: Pebble) -> float:
    address = await _address(client)
    acme.set_dns("set-default-ipv4", ip=address)
    await client.create(_ISSUERS, _issuer(acme))
    try:
        await until(lambda: _is_ready(client), "the issuer")

        async def add(host: str) -> None:
            await client.create(INGRESSES, _ingress(host, _ISSUER), _NAMESPACE)

        return await _median(add, (address, 443), acme.root())
    finally:
        await client.delete(_ISSUERS, _ISSUER)


async def _median(add: Callable[[str], Awaitable[None]], place: tuple[str, int], root: str) -> float:
    context = ssl.create_default_context(cadata=root)
    took = []
    for number in range(_HOSTS + 1):
        host = f"bench-{number}.example.org"
        begun = time.perf_counter()
        await add(host)
        while not await asyncio.to_thread(_is_served, place, host, context):
            await asyncio.sleep(_PAUSE)
        took.append(time.perf_counter() - begun)
    return statistics.median(took[1:])  # the first starts what is not running yet


def _is_served(place: tuple[str, int], host: str, context: ssl.SSLContext) -> bool:
    try:
        with (
            socket.create_connection(place, timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:
        return False


async def _address(client: HttpClient) -> str:
    """Where Ingresses are served, as the first one says."""
    await client.create(INGRESSES, _ingress("first.example.org", "skerry-ca"), _NAMESPACE)

    async def found() -> str:
        status = (await client.get(INGRESSES, "first.example.org", _NAMESPACE))["status"]
        return str(status["loadBalancer"]["ingress"][0]["ip"])

    return await until(found, "an address of the Ingress")


async def _is_ready(client: HttpClient) -> bool:
    return condition_is_true(await client.get(_ISSUERS, _ISSUER), "Ready")


def _issuer(acme: Pebble) -> Obj:
    spec = {
        "server": acme.directory,
        "caBundle": acme.bundle,
        "privateKeySecretRef": {"name": _ISSUER},
        "solvers": [{"http01": {"ingress": {}}}],
    }
    noted = {"skerry.dev/nameservers": acme.nameserver}
    return {"metadata": {"name": _ISSUER, "annotations": noted}, "spec": {"acme": spec}}


def _ingress(host: str, issuer: str) -> Obj:
    backend = {"service": {"name": "nobody", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {
        "metadata": {"name": host, "annotations": {"cert-manager.io/cluster-issuer": issuer}},
        "spec": {
            "tls": [{"hosts": [host], "secretName": host}],
            "rules": [{"host": host, "http": {"paths": [path]}}],
        },
    }


async def _caddy_alone(folder: Path) -> float:
    http, https, admin = (free_port() for _ in range(3))
    with pebble(folder, http_port=http) as acme, _caddy(folder, acme, (http, https, admin)):
        hosts: list[str] = []

        async def add(host: str) -> None:
            hosts.append(host)
            url = f"http://127.0.0.1:{admin}/config/apps/http/servers/bench/routes"
            await asyncio.to_thread(_patch, url, [{"match": [{"host": hosts}], "handle": []}])

        return await _median(add, ("127.0.0.1", https), acme.root())


@contextmanager
def _caddy(folder: Path, acme: Pebble, ports: tuple[int, int, int]) -> Iterator[None]:
    http, https, admin = ports
    issuer = {"module": "acme", "ca": acme.directory, "trusted_roots_pem_files": [str(folder / "ca.pem")]}
    server = {"listen": [f"127.0.0.1:{https}"], "routes": []}
    config = {
        "admin": {"listen": f"127.0.0.1:{admin}"},
        "storage": {"module": "file_system", "root": str(folder / "caddy")},
        "apps": {
            "http": {"http_port": http, "https_port": https, "servers": {"bench": server}},
            "tls": {"automation": {"policies": [{"issuers": [issuer]}]}},
        },
    }
    (folder / "caddy.json").write_text(json.dumps(config))
    with running_program(folder, ["caddy", "run", "--config", str(folder / "caddy.json")], {}):
        eventually(lambda: _connects(admin), "Caddy's admin API")
        yield


def _connects(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        return True


def _patch(url: str, body: object) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="PATCH")
    urllib.request.urlopen(request, timeout=30).close()
