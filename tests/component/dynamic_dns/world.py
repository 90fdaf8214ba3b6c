"""An API with the Domain controllers, and objects for them: what component tests of dynamic DNS start."""

from __future__ import annotations

import base64
import functools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.dynamic_dns.waking import DynamicDns
from skerry.engine.definitions.domains import DEFINITIONS, DOMAINS
from skerry.engine.definitions.installing import install
from skerry.engine.program.context import make_context
from skerry.kube.client import Client
from skerry.kube.clock import Clock
from skerry.kube.conditions import condition_of
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource, name_of
from skerry.kube.resources import EVENTS, INGRESSES, SECRETS, SERVICES
from tests.support.api import RunningApi, running_api
from tests.support.dns_servers import KEY, ZONE, DnsServerProcess
from tests.support.waiting import until, until_raises

OWNER = "test"


@dataclass
class World:
    """What a test works with; `start` and `stop` are the engine's."""

    api: RunningApi
    context: Context | None = None
    controllers: Sequence[Controller] = ()

    @property
    def client(self) -> Client:
        """The administrator's."""
        return self.api.client

    async def start(self) -> None:
        """Start the controllers, as an engine that comes up does."""
        identity = functools.cache(self.api.server.component)
        context = self.context = replace(make_context(self.api.server), identity=identity)
        self.controllers = [DynamicDns(context.acting_as("domain-controller"))]
        await context.informers.start()
        for controller in self.controllers:
            controller.start()

    async def stop(self) -> None:
        """End them, in the middle of whatever they do."""
        for controller in self.controllers:
            await controller.close()
        if self.context is not None:
            await self.context.recorder.close()
            await self.context.informers.close()
        self.context, self.controllers = None, ()

    async def key(self, secret: str = KEY.secret) -> None:
        """Write the Secret with the TSIG key."""
        data = {"secret": base64.b64encode(secret.encode()).decode()}
        wanted = {"metadata": {"name": "tsig", "namespace": "kube-system"}, "data": data}
        try:
            await self.client.patch(SECRETS, "tsig", {"data": data}, "kube-system")
        except NotFound:
            await self.client.create(SECRETS, wanted, "kube-system")

    async def domain(self, process: DnsServerProcess, name: str = "dyn", /, **spec: Any) -> Obj:
        """Make a Domain whose zone is the server's."""
        reference = {"namespace": "kube-system", "name": "tsig"}
        usual = {
            "domain": ZONE,
            "zone": ZONE,
            "server": str(process.target),
            "owner": OWNER,
            "tsig": {"keyName": KEY.name, "secretRef": reference},
        }
        return await self.client.create(DOMAINS, {"metadata": {"name": name}, "spec": {**usual, **spec}})

    async def ready(self, reason: str = "Published", name: str = "dyn", words: str = "") -> Obj:
        """Wait for the reason of a Domain's condition Ready; the condition."""

        async def holds() -> Obj | None:
            found = condition_of(await self.client.get(DOMAINS, name), "Ready") or {}
            return found if found.get("reason") == reason and words in found.get("message", "") else None

        return await until(holds, f"Ready of {name}: {reason} {words}")

    async def record(self, host: str, state: str = "Published", name: str = "dyn") -> Obj:
        """Wait for a host's state in the status; the entry."""

        async def holds() -> Obj | None:
            entries = ((await self.client.get(DOMAINS, name)).get("status") or {}).get("records") or ()
            return next((one for one in entries if one["host"] == host and one["state"] == state), None)

        return await until(holds, f"{host} {state}")

    async def listed(self, name: str = "dyn") -> list[str]:
        """Hosts in the status."""
        return [
            one["host"] for one in ((await self.client.get(DOMAINS, name)).get("status") or {}).get("records") or ()
        ]

    async def event(self, reason: str, part: str = "", namespace: str | None = None) -> Obj:
        """Wait for an event whose message has a part."""

        async def found() -> Obj | None:
            for event in (await self.client.list(EVENTS, namespace)).items:
                if event["reason"] == reason and part in event["message"]:
                    return event
            return None

        return await until(found, f"event {reason} {part}")

    async def messages(self, reason: str) -> list[str]:
        """Of the events of a reason, as of now."""
        if self.context is not None:
            await self.context.recorder.close()
        return [event["message"] for event in (await self.client.list(EVENTS)).items if event["reason"] == reason]

    async def withdraw(self) -> None:
        """Take the Domains away, and so their records."""
        for domain in (await self.client.list(DOMAINS)).items:
            await self.client.delete(DOMAINS, name_of(domain))
            await until_raises(NotFound, functools.partial(self.client.get, DOMAINS, name_of(domain)))

    async def ingress(self, name: str, *hosts: str, address: str = "192.0.2.1", namespace: str = "default") -> None:
        """Make an Ingress for hosts, reached at an address ("": none yet)."""
        backend = {"service": {"name": "web", "port": {"number": 80}}}
        paths = {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}
        spec = {"rules": [{"host": host, "http": paths} for host in hosts]}
        await self.client.create(INGRESSES, {"metadata": {"name": name}, "spec": spec}, namespace)
        if address:
            await self.reached(INGRESSES, name, address, namespace=namespace)

    async def service(self, name: str, annotations: dict[str, str], address: str = "192.0.2.50") -> None:
        """Make a Service of type LoadBalancer that has an address."""
        metadata = {"name": name, "annotations": annotations}
        spec = {"type": "LoadBalancer", "ports": [{"port": 22}]}
        await self.client.create(SERVICES, {"metadata": metadata, "spec": spec}, "default")
        await self.reached(SERVICES, name, address)

    async def reached(self, resource: Resource, name: str, *addresses: str, namespace: str = "default") -> None:
        """Set the addresses of an Ingress or a Service."""
        status = {"loadBalancer": {"ingress": [{"ip": address} for address in addresses]}}
        await self.client.patch(resource, name, {"status": status}, namespace, subresource="status")

    async def annotate(self, resource: Resource, name: str, key: str, value: str, namespace: str | None = None) -> None:
        """Set an annotation."""
        await self.client.patch(resource, name, {"metadata": {"annotations": {key: value}}}, namespace)


@asynccontextmanager
async def running_domains(*, clock: Clock | None = None) -> AsyncIterator[World]:
    """Start API and controllers; the Secret is there."""
    async with running_api(clock=clock) as api:
        world = World(api)
        await install(api.server.component("definition-installer"), DEFINITIONS)
        await world.key()
        await world.start()
        try:
            yield world
        finally:
            await world.stop()
