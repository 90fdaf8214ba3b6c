"""Requests through Ingress beside those through a plain Caddy with the same upstream, and a route added beside 500.

The upstream is a Caddy that answers by itself, the load `wrk`: all on the cores of the program that is measured. The
plain Caddy is in the cgroup of ours, since shares of busy cores go by cgroup. The program must run. The floor of the
new route is Caddy's own time to take a configuration with as many routes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.results import Row
from skerry.engine.network.ingress.document import ADMIN_SOCKET
from skerry.engine.network.ingress.program import find_caddy
from skerry.engine.processes import listener
from skerry.kube.http_client import HttpClient
from skerry.kube.objects import Obj
from skerry.kube.resources import ENDPOINTS, INGRESSES, NAMESPACES, SERVICES

_NAMESPACE = "bench-ingress"
_SECONDS, _ROUNDS, _CONNECTIONS = 2, 9, 16
_ROUTES, _NEW = 500, 5
_BODY = "x" * 1024
_HOST = "bench.localhost"


async def measure(client: HttpClient, run: Path) -> list[Row]:
    """Both rows. `run`: where the program has its sockets."""
    await client.create(NAMESPACES, {"metadata": {"name": _NAMESPACE}})
    try:
        await client.create(INGRESSES, _ingress(_HOST), _NAMESPACE)
        address, port = await _entrance(client)
        ours = listener(run / "ingress" / ADMIN_SOCKET)
        with _caddy(_upstream(address)) as upstream, _caddy(_plain(address, upstream), beside=ours) as plain:
            await _publish(client, address, upstream)
            await _until_served(address, port, _HOST)
            rates = await asyncio.to_thread(_compare, (address, port), (address, plain))
            through = Row("ingress requests", rates[0], "/s", rates[1], round(0.9 * rates[1]))
            return [through, await _new_route(client, address, port, upstream)]
    finally:
        await client.delete(NAMESPACES, _NAMESPACE)


async def _new_route(client: HttpClient, address: str, port: int, upstream: int) -> Row:
    hosts = [f"h{number}.{_HOST}" for number in range(_ROUTES)]
    for host in hosts:
        await client.create(INGRESSES, _ingress(host), _NAMESPACE)
    for host in (hosts[0], hosts[-1]):
        await _until_served(address, port, host)
    times = []
    for number in range(_NEW):
        host = f"new{number}.{_HOST}"
        begun = time.perf_counter()
        await client.create(INGRESSES, _ingress(host), _NAMESPACE)
        await _until_served(address, port, host)
        times.append(time.perf_counter() - begun)
    floor = await asyncio.to_thread(_load_time, address, upstream)
    return Row(f"route added beside {_ROUTES}", statistics.median(times) * 1000, "ms", floor * 1000, 500)


def _compare(ours: tuple[str, int], plain: tuple[str, int]) -> tuple[float, float]:
    """Requests a second by turns, so that what else the machine does disturbs both."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        for place, found in zip((ours, plain), rates, strict=True):
            found.append(_requests_per_second(*place))
    return statistics.median(rates[0]), statistics.median(rates[1])


def _requests_per_second(address: str, port: int) -> float:
    load = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_SECONDS}s", "-H", f"Host: {_HOST}", f"http://{address}:{port}/"]
    output = subprocess.run(load, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise RuntimeError(output)
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    assert found is not None
    return float(found[1])


async def _entrance(client: HttpClient) -> tuple[str, int]:
    """Where Caddy listens: the way there is the same for both."""
    while True:
        with contextlib.suppress(Exception):
            (subset,) = (await client.get(ENDPOINTS, "ingress", "kube-system"))["subsets"]
            port = next(one["port"] for one in subset["ports"] if one["name"] == "http")
            return str(subset["addresses"][0]["ip"]), int(port)
        await asyncio.sleep(0.05)


async def _publish(client: HttpClient, address: str, port: int) -> None:
    await client.create(SERVICES, {"metadata": {"name": "up"}, "spec": {"ports": [{"port": 80}]}}, _NAMESPACE)
    subsets = [{"addresses": [{"ip": address}], "ports": [{"port": port}]}]
    await client.create(ENDPOINTS, {"metadata": {"name": "up"}, "subsets": subsets}, _NAMESPACE)


async def _until_served(address: str, port: int, host: str) -> None:
    """A connection that Caddy has not read from may be closed while it takes a new configuration."""
    while True:
        with contextlib.suppress(ConnectionError):
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.readline()
            writer.close()
            if b" 200 " in answer:
                return
        await asyncio.sleep(0.002)


def _ingress(host: str) -> Obj:
    backend = {"service": {"name": "up", "port": {"number": 80}}}
    rule = {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {"metadata": {"name": host.replace(".", "-")}, "spec": {"ingressClassName": "skerry", "rules": [rule]}}


def _upstream(address: str) -> dict[str, Any]:
    return _server(address, [{"handle": [{"handler": "static_response", "body": _BODY}]}])


def _plain(address: str, upstream: int, routes: int = 1) -> dict[str, Any]:
    proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": f"{address}:{upstream}"}]}
    hosts = [_HOST, *(f"h{number}.{_HOST}" for number in range(1, routes))]
    return _server(address, [{"match": [{"host": [host]}], "handle": [proxy], "terminal": True} for host in hosts])


def _server(address: str, routes: list[Any]) -> dict[str, Any]:
    server = {"listen": [f"{address}:{_free_port(address)}"], "automatic_https": {"disable": True}, "routes": routes}
    return {"logging": {"logs": {"default": {"level": "ERROR"}}}, "apps": {"http": {"servers": {"a": server}}}}


def _load_time(address: str, upstream: int) -> float:
    """Seconds a plain Caddy needs to take one more route beside the others."""
    admin = f"127.0.0.1:{_free_port('127.0.0.1')}"
    document = {"admin": {"listen": admin}, **_plain(address, upstream, _ROUTES)}
    with _caddy(document):
        times = []
        for _ in range(_NEW):
            document["apps"]["http"]["servers"]["a"]["routes"].append({"handle": []})
            body, headers = json.dumps(document).encode(), {"Content-Type": "application/json"}
            request = urllib.request.Request(f"http://{admin}/load", body, headers)
            begun = time.perf_counter()
            with urllib.request.urlopen(request) as answer:
                answer.read()
            times.append(time.perf_counter() - begun)
    return statistics.median(times)


@contextlib.contextmanager
def _caddy(document: dict[str, Any], beside: int = 0) -> Iterator[int]:
    """A Caddy with this configuration, in the cgroup of the process `beside`; the port it listens on."""
    path, (listen,) = find_caddy(), document["apps"]["http"]["servers"]["a"]["listen"]
    assert path is not None
    document.setdefault("admin", {"disabled": True})
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "caddy.json").write_text(json.dumps(document))
        command = [path, "run", "--config", f"{folder}/caddy.json"]
        environment = {**os.environ, "HOME": folder}
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
            try:
                if beside:
                    _cpu_cgroup(beside).joinpath("cgroup.procs").write_text(str(process.pid))
                address, _, port = listen.partition(":")
                _until_listening(address, int(port))
                yield int(port)
            finally:
                process.kill()


def _cpu_cgroup(pid: int) -> Path:
    """With cgroup v1 that of the controller, with v2 the only one."""
    lines = [line.split(":", 2) for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines()]
    found = {name: path.strip("/") for _, controllers, path in lines for name in controllers.split(",")}
    root = Path("/sys/fs/cgroup")
    return root / "cpu" / found["cpu"] if "cpu" in found else root / found[""]


def _until_listening(address: str, port: int) -> None:
    while True:
        with contextlib.suppress(OSError), socket.create_connection((address, port)):
            return
        time.sleep(0.01)


def _free_port(address: str) -> int:
    with socket.create_server((address, 0)) as probe:
        return int(probe.getsockname()[1])
