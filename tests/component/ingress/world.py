"""Ingress with the real Caddy and the real API in a network namespace of its own; apps are servers on the host.

async with running_ingress() as ingress:
    app = await ingress.app("web")              # a Service, and a server behind it
    await ingress.create("web", rule("web.example.com", path("/", "web")))
    await ingress.answers("web.example.com", "/", "web")
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from skerry.engine.config import EngineConfig
from skerry.engine.network.host import remove_network
from skerry.engine.network.ingress.cluster_ingress import ClusterIngress
from skerry.engine.network.proxy import ServiceProxy
from skerry.kube.clock import rfc3339
from skerry.kube.objects import Obj
from skerry.kube.resources import ENDPOINTS, INGRESSES, SECRETS, SERVICES
from tests.support.controllers import World, running_controllers
from tests.support.waiting import until

_READ_LIMIT = 1 << 20


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    certificate: bytes = b""

    @property
    def told(self) -> Any:
        """What the app was asked, as it says."""
        return json.loads(self.body)


@dataclass
class App:
    """A server that says what it was asked; `name` first."""

    name: str
    port: int
    server: asyncio.Server
    requests: list[Obj] = field(default_factory=list)
    delay: asyncio.Event = field(default_factory=asyncio.Event)
    """Requests for /slow wait for it."""
    connections: set[asyncio.StreamWriter] = field(default_factory=set)

    def stop(self) -> None:
        """Listen no more, and end the connections there are."""
        self.server.close()
        for connection in self.connections:
            connection.close()


@dataclass
class Ingresses:
    """What a test works with."""

    world: World
    config: EngineConfig
    ingress: ClusterIngress
    apps: dict[str, App] = field(default_factory=dict)

    async def app(self, name: str, namespace: str = "default", *, port: int = 80, service: bool = True) -> App:
        """Start a server, and a Service of that name whose endpoint it is."""
        app = await _start_app(self._address, name)
        self.apps[f"{namespace}/{name}"] = app
        if service:
            await self.publish(name, [app], namespace, port)
        return app

    @property
    def _address(self) -> str:
        return "192.0.2.10"  # an address of the namespace's own: endpoints may not be on loopback

    async def publish(self, name: str, apps: list[App], namespace: str = "default", port: int = 80) -> None:
        """A Service without selector that leads to these; called again, it leads elsewhere."""
        client = self.world.client
        spec = {"ports": [{"name": "http", "port": port}]}
        subsets = [
            {"addresses": [{"ip": self._address}], "ports": [{"name": "http", "port": app.port}]} for app in apps
        ]
        endpoints: Obj = {"metadata": {"name": name}, "subsets": subsets}
        if any(one["metadata"]["name"] == name for one in (await client.list(SERVICES, namespace)).items):
            current = await client.get(ENDPOINTS, name, namespace)
            await client.update(ENDPOINTS, {**current, "subsets": subsets})
            return
        await client.create(SERVICES, {"metadata": {"name": name}, "spec": spec}, namespace)
        await client.create(ENDPOINTS, endpoints, namespace)

    async def create(
        self,
        name: str,
        *rules: Obj,
        namespace: str = "default",
        annotations: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> Obj:
        """An Ingress; annotations without a domain are nginx's."""
        full = {
            key if "/" in key else f"nginx.ingress.kubernetes.io/{key}": text
            for key, text in (annotations or {}).items()
        }
        body: Obj = {"metadata": {"name": name, "annotations": full}, "spec": {**spec}}
        if rules:
            body["spec"]["rules"] = list(rules)
        return await self.world.client.create(INGRESSES, body, namespace)

    async def in_another_second(self, ingress: Obj) -> None:
        """Wait until a new object is younger than this one: the time of creation counts seconds."""
        made = ingress["metadata"]["creationTimestamp"]
        await until(lambda: rfc3339(self.config.clock.now()) > made, "the next second")

    async def secret(self, name: str, data: Mapping[str, str], kind: str = "Opaque", namespace: str = "default") -> Obj:
        """A Secret with these texts."""
        body = {"metadata": {"name": name}, "type": kind, "stringData": dict(data)}
        return await self.world.client.create(SECRETS, body, namespace)

    async def ask(
        self,
        host: str,
        target: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        tls: ssl.SSLContext | None = None,
        at: str = "",
    ) -> Answer:
        """One request to Caddy, on a connection of its own; `at`: an address that leads to it, at the usual ports."""
        listeners = self.ingress._controller.caddy.listeners
        usual, own = (443, listeners.https) if tls else (80, listeners.http)
        address, port = (at, usual) if at else (listeners.addresses[0], own)
        reader, writer = await asyncio.open_connection(
            address, port, ssl=tls, server_hostname=host if tls else None, limit=_READ_LIMIT
        )
        try:
            given = {"Host": host, "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
            head = "".join(f"{name}: {text}\r\n" for name, text in given.items())
            writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode() + body)
            answer = parsed(await reader.read())
            if tls:
                found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                answer.certificate = found or b""
            return answer
        finally:
            writer.close()

    async def answers(self, host: str, target: str, app: str, **how: Any) -> Answer:
        """Wait until this app answers; its answer."""

        async def answered() -> Answer | None:
            answer = await self.ask(host, target, **how)
            return answer if answer.status == 200 and answer.told["app"] == app else None

        found = await until(answered, f"{app} at {host}{target}")
        assert found is not None
        return found

    async def status(self, host: str, target: str, wanted: int, **how: Any) -> Answer:
        """Wait for an answer with that status."""

        async def answered() -> Answer | None:
            answer = await self.ask(host, target, **how)
            return answer if answer.status == wanted else None

        found = await until(answered, f"{wanted} at {host}{target}")
        assert found is not None
        return found

    async def event(self, reason: str, text: str) -> None:
        """Wait for an event."""
        await self.world.until(lambda: any(text in message for message in self.world.events(reason)))


def rule(host: str, *paths: Obj) -> Obj:
    """A rule of an Ingress."""
    return {**({"host": host} if host else {}), "http": {"paths": list(paths)}}


def path(place: str, service: str, kind: str = "Prefix", port: int | str = 80) -> Obj:
    """A path of a rule."""
    number = {"number": port} if isinstance(port, int) else {"name": port}
    return {"path": place, "pathType": kind, "backend": {"service": {"name": service, "port": number}}}


def parsed(raw: bytes) -> Answer:
    """An answer that was read to its end."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines[1:])}
    if headers.get("transfer-encoding") == "chunked":
        body = _unchunked(body)
    return Answer(int(lines[0].split()[1]), headers, body)


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + rest[:length], rest[length + 2 :] if length else b""
    return whole


async def _start_app(address: str, name: str) -> App:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        app.connections.add(writer)
        try:
            while await _answer(app, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            app.connections.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, address, 0, limit=_READ_LIMIT)
    app = App(name, server.sockets[0].getsockname()[1], server)
    return app


async def _answer(app: App, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, target, _ = lines[0].split()
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines[1:] if line)}
    if headers.get("upgrade", "").lower() == "websocket":
        await _echo(reader, writer)
        return False
    length = await _body_length(reader, headers)
    asked = {"app": app.name, "method": method, "target": target, "headers": headers, "length": length}
    app.requests.append(asked)
    if target.startswith("/slow"):
        await app.delay.wait()
    status = "401 Unauthorized" if target == "/no" else "200 OK"
    body = json.dumps(asked).encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    writer.write(body)
    await writer.drain()
    return True


async def _body_length(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> int:
    length = int(headers.get("content-length", 0))
    left = length
    while left:
        left -= len(await reader.read(min(left, 1 << 16))) or left
    while headers.get("transfer-encoding") == "chunked":
        size = int(await reader.readline(), 16)
        await reader.readexactly(size + 2)
        length += size
        if not size:
            break
    return length


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    while data := await reader.read(1024):
        writer.write(data)


@asynccontextmanager
async def running_ingress(**settings: Any) -> AsyncIterator[Ingresses]:
    """API, controllers, service rules and Ingress. The caller has put this thread into a network of its own.
    `settings`: fields of the instance's configuration."""
    process = await asyncio.create_subprocess_exec("ip", "address", "add", "192.0.2.10/32", "dev", "lo")
    assert await process.wait() == 0
    async with running_controllers(settings=settings) as world:
        config, informers = world.context.config, world.context.informers
        proxy = ServiceProxy(config, informers)
        await proxy.prepare()
        proxy.start()
        client = world.context.identity("ingress-controller")
        ingress = ClusterIngress(config, client, informers, world.context.recorder)
        await ingress.start()
        running = Ingresses(world, config, ingress)
        try:
            yield running
        finally:
            await running.ingress.end()
            for app in running.apps.values():
                app.stop()
            await proxy.close()
            await remove_network(config)
