"""The platform as an object: install, caches, capabilities, web; and back. Tests boot the same one.

Order: what serves admission answers before it is registered; controllers start when caches are complete. Leaving the
`async with` ends everything but what is in the cluster. Nothing here knows where the Kubernetes API runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import BaseRoute, Route

from skerry.kube.clock import Clock, SystemClock
from skerry.kube.events import Recorder
from skerry.kube.http_client import HttpClient
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj
from skerry.kube.resources import CONFIG_MAPS
from skerry.kube.tasks import end
from skerry.platform.base.applying import apply
from skerry.platform.base.callers import Callers
from skerry.platform.base.capability import MANAGER, Capability, Context, Settings
from skerry.platform.base.private_directories import sweep
from skerry.platform.program.all import ALL
from skerry.platform.program.installing import install
from skerry.platform.program.publishing import publish
from skerry.platform.program.rights import account_of
from skerry.platform.program.tls import authority, renewing, serving
from skerry.platform.program.web import WebServer
from skerry.platform.program.webhooks import admission_route, new_key, register

Pages = Callable[[Mapping[str, Context]], Sequence[BaseRoute]]
"""Routes of what stands above the platform; it is given the contexts of the capabilities, by name."""


def no_pages(_contexts: Mapping[str, Context]) -> Sequence[BaseRoute]:
    """Nothing stands above."""
    return ()


class Platform:
    """On one cluster, running inside its `async with`."""

    def __init__(
        self,
        client: HttpClient,
        settings: Settings,
        *,
        clock: Clock | None = None,
        capabilities: Sequence[Capability] = ALL,
        pages: Pages = no_pages,
    ) -> None:
        """`client`: of the platform itself; `settings.port` 0 takes a free one, see `url`. `pages`: what is served to
        people beside what the capabilities serve."""
        self.url = ""
        self.ca = b""
        """Whom to trust at `url`, PEM."""
        self.contexts: dict[str, Context] = {}
        """What each capability works with, by name."""
        self._client = client
        self._settings = settings
        self._clock = clock or SystemClock()
        self._capabilities = capabilities
        self._pages = pages
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(sweep)
        async with self._stack as stack:
            web = WebServer(self._settings.host, self._settings.port)
            stack.push_async_callback(web.close)
            self.url = self._settings.url or f"https://{self._settings.names[0]}:{web.port}"
            await install(self._client, self._capabilities)
            await self._start(web, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self, web: WebServer, stack: AsyncExitStack) -> None:
        own = await authority(self._client, self._clock)
        self.ca = own.certificate
        settings = replace(self._settings, url=self.url, port=web.port, ca=self.ca)
        informers = Informers(self._client)
        stack.push_async_callback(informers.close)
        recorder = Recorder(self._client, self._clock, MANAGER)
        stack.push_async_callback(recorder.close)
        callers = Callers()
        contexts = [
            (
                one,
                Context(
                    self._client.acting_as(account_of(one.name)), informers, recorder, self._clock, settings, callers
                ),
            )
            for one in self._capabilities
        ]
        self.contexts = {one.name: context for one, context in contexts}
        hooks = [hook for one, context in contexts for hook in one.hooks(context)]
        controllers = [controller for one, context in contexts for controller in one.controllers(context)]
        routes = [route for one, context in contexts for route in one.routes(context)]
        routes.extend([*self._pages(self.contexts), _START])
        await informers.start()
        key = new_key()
        tls = serving(own, self._settings.names, self._clock)
        renewal = asyncio.create_task(renewing(tls, own, self._settings.names, self._clock), name="platform tls")
        stack.push_async_callback(end, renewal)
        await web.start([_HEALTH, admission_route(hooks, key), *routes], tls)
        await register(self._client, hooks, self.url, self.ca, key)
        await apply(self._client, CONFIG_MAPS, _announcement(self.url, self.ca))
        if settings.beside_node:
            await publish(self._client, web.port)
        for controller in controllers:
            stack.push_async_callback(controller.close)
            controller.start()


def _announcement(url: str, ca: bytes) -> Obj:
    """Where the platform is and whom to trust there: for command lines that know the cluster only."""
    data = {"url": url, "ca.crt": ca.decode()}
    return {"metadata": {"name": MANAGER, "namespace": "kube-public"}, "data": data}


_HEALTH: BaseRoute = Route("/healthz", lambda _: PlainTextResponse("ok"))
_START: BaseRoute = Route("/", lambda _: RedirectResponse("/identity/", 303))
"""Where nothing stands above."""
