"""Answers balancers that ask whether this node has endpoints of a Service: `spec.healthCheckNodePort`.

A Service has one when it is of type LoadBalancer with `externalTrafficPolicy: Local`. What is answered is looked up
when it is asked. Source: kube-proxy's `pkg/proxy/healthcheck/service_health.go`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from functools import partial

from skerry.engine.config import EngineConfig
from skerry.engine.network.services import SERVICE_NAME_LABEL
from skerry.kube.events import Recorder
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, key_of, labels_of, namespace_of, split_key
from skerry.kube.resources import ENDPOINT_SLICES, SERVICES
from skerry.kube.tasks import end

_INDEX = "service"
_SECONDS = 10.0  # that a client may take for its request
_PHRASES = {200: "OK", 503: "Service Unavailable"}


class HealthChecks:
    """One listener for each Service that has a port for it. `trouble`: what is wrong with the rules of services."""

    def __init__(
        self, config: EngineConfig, informers: Informers, recorder: Recorder, trouble: Callable[[], str]
    ) -> None:
        self._config = config
        self._services = informers.of(SERVICES)
        self._slices = informers.of(ENDPOINT_SLICES)
        self._slices.add_index(_INDEX, _services_of)
        self._recorder = recorder.named("kube-proxy")
        self._trouble = trouble
        self._listeners: dict[str, tuple[int, asyncio.Server]] = {}
        """Port and listener by the Service's key."""
        self._changes: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._serving: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Follow Services from now on."""
        self._services.add_handler(self._changed)
        self._task = asyncio.create_task(self._keep_current(), name="health checks of services")

    async def close(self) -> None:
        """Nobody answers while no engine runs: a balancer then leaves this node out."""
        await end(self._task)
        for key in list(self._listeners):
            self._stop(key)
        for one in self._serving:
            one.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def ports(self) -> frozenset[int]:
        """Those that are answered at."""
        return frozenset(port for port, _ in self._listeners.values())

    def answer(self, key: str) -> tuple[int, bytes]:
        """Status and body about a Service."""
        namespace, name = split_key(key)
        count, healthy = self._local_endpoints(key), not self._trouble()
        about = {
            "service": {"namespace": namespace, "name": name},
            "localEndpoints": count,
            "serviceProxyHealthy": healthy,
        }
        return 200 if count and healthy else 503, json.dumps(about, indent="\t").encode() + b"\n"

    def _local_endpoints(self, key: str) -> int:
        found: set[str] = set()
        for piece in self._slices.by_index(_INDEX, key):
            for endpoint in piece.get("endpoints") or ():
                is_ready = (endpoint.get("conditions") or {}).get("ready", True)
                if is_ready and endpoint.get("nodeName") == self._config.node_name:
                    found.update(endpoint.get("addresses") or ())
        return len(found)

    def _changed(self, delta: Delta) -> None:
        if any(one is not None and _port_of(one) for one in delta):
            self._changes.put_nowait(key_of(delta.object))

    async def _keep_current(self) -> None:
        while True:
            key = await self._changes.get()
            namespace, name = split_key(key)
            service = self._services.get(name, namespace)
            port = _port_of(service) if service is not None else 0
            if key in self._listeners and self._listeners[key][0] != port:
                self._stop(key)
            if service is not None and port and key not in self._listeners:
                await self._listen(service, key, port)

    async def _listen(self, service: Obj, key: str, port: int) -> None:
        config = self._config
        host = "0.0.0.0" if config.index == 0 else config.loopback_address  # noqa: S104  # as node ports
        try:
            server = await asyncio.start_server(partial(self._accept, key), host, port)
        except OSError as error:
            why = f'node {config.node_name} failed to start healthcheck "{key}" on port {port}: {error.strerror}'
            self._recorder.event(service, "Warning", "FailedToStartServiceHealthcheck", why)
            return
        self._listeners[key] = port, server

    def _stop(self, key: str) -> None:
        _, server = self._listeners.pop(key)
        server.close()

    def _accept(self, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(key, reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection, whatever its path."""
        try:
            async with asyncio.timeout(_SECONDS):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(key))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _response(self, key: str) -> bytes:
        status, body = self.answer(key)
        head = [
            f"HTTP/1.1 {status} {_PHRASES[status]}",
            "Content-Type: application/json",
            "X-Content-Type-Options: nosniff",
            f"X-Load-Balancing-Endpoint-Weight: {self._local_endpoints(key)}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        return "\r\n".join([*head, "", ""]).encode() + body


def _port_of(service: Obj) -> int:
    spec = service.get("spec") or {}
    local = spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
    return int(spec.get("healthCheckNodePort") or 0) if local else 0


def _services_of(piece: Obj) -> list[str]:
    name = labels_of(piece).get(SERVICE_NAME_LABEL)
    return [f"{namespace_of(piece)}/{name}"] if name else []
