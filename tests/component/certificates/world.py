"""An API with the definitions and controllers of certificates, and nothing else: what component tests of them start."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from skerry.engine.certificates.helper.process import Helper
from skerry.engine.controllers.certmanager.all import make_certificate_controllers
from skerry.engine.controllers.context import Context
from skerry.engine.definitions.all import ALL
from skerry.engine.definitions.certmanager import CERTIFICATES
from skerry.engine.definitions.installing import install
from skerry.engine.program.context import make_context
from skerry.engine.store.contract import Store
from skerry.kube.client import Client
from skerry.kube.clock import Clock, SystemClock
from skerry.kube.conditions import condition_of
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import EVENTS, SECRETS
from tests.support.api import RunningApi, running_api
from tests.support.waiting import until


@dataclass
class World:
    """What a test works with."""

    api: RunningApi
    context: Context
    controllers: Sequence[Controller]

    @property
    def client(self) -> Client:
        """The administrator's."""
        return self.api.client

    async def get(self, resource: Resource, name: str, namespace: str = "default") -> Obj | None:
        """As it is stored, None when it is not."""
        try:
            return await self.client.get(resource, name, namespace if resource.namespaced else None)
        except NotFound:
            return None

    async def create(self, resource: Resource, name: str, spec: Obj, namespace: str = "default", **more: Obj) -> Obj:
        """Create an object of ours."""
        place = namespace if resource.namespaced else None
        return await self.client.create(resource, {"metadata": {"name": name, **more}, "spec": spec}, place)

    async def certificate(self, name: str, **spec: object) -> Obj:
        """Create a Certificate whose Secret is named like it."""
        return await self.create(CERTIFICATES, name, {"secretName": name, **spec})

    async def condition(
        self,
        resource: Resource,
        name: str,
        kind: str,
        status: str = "True",
        reason: str = "",
        namespace: str = "default",
    ) -> Obj:
        """Wait for a condition; the object then."""

        async def holds() -> Obj | None:
            obj = await self.get(resource, name, namespace)
            found = condition_of(obj or {}, kind) or {}
            return obj if found.get("status") == status and reason in ("", found.get("reason")) else None

        return await until(holds, f"{kind}={status} {reason} of {name}")

    async def secret(self, name: str, namespace: str = "default") -> Obj:
        """Wait for a Secret with a certificate."""

        async def filled() -> Obj | None:
            secret = await self.get(SECRETS, name, namespace)
            return secret if secret and (secret.get("data") or {}).get("tls.crt") else None

        return await until(filled, f"secret {name}")

    async def event(self, reason: str, part: str = "") -> str:
        """Wait for an event; its message."""

        async def found() -> str | None:
            await self.context.recorder.close()
            for event in (await self.client.list(EVENTS)).items:
                if event["reason"] == reason and part in event["message"]:
                    return str(event["message"])
            return None

        return await until(found, f"event {reason} {part}")

    async def settle(self, *seen: tuple[Resource, str]) -> None:
        """Wait until the controllers have seen these objects, and have nothing to do: who acts has acted by then."""

        def is_calm() -> bool:
            known = [self.context.informers.of(resource).get(name, "default") for resource, name in seen]
            return all(known) and not any(one.queue._waiting or one.queue._active for one in self.controllers)

        await until(is_calm, "calm")

    def look(self) -> None:
        """Time has passed: have every controller look at everything it knows."""
        for controller in self.controllers:
            for key in (*controller.queue._timers, *controller.queue._active):
                controller.queue.add(key)


@asynccontextmanager
async def running_certificates(
    *, clock: Clock | None = None, store: Store | None = None, folder: Path | None = None
) -> AsyncIterator[World]:
    """Start API and controllers; stop them at the end, whoever is still at work."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(running_api(clock=clock or SystemClock(), store=store, folder=folder))
        identity = functools.cache(api.server.component)
        context = replace(make_context(api.server), identity=identity)
        await install(context.identity("definition-installer"), ALL)
        helper = Helper()
        controllers = make_certificate_controllers(context, helper)
        stack.push_async_callback(context.informers.close)
        await context.informers.start()
        stack.push_async_callback(context.recorder.close)
        stack.push_async_callback(helper.close)
        for controller in controllers:
            stack.push_async_callback(controller.close)
            controller.start()
        yield World(api, context, controllers)
        await asyncio.sleep(0)
