"""Keeps an APIService for every group version that is served here, which is always available.

Whether those with a service are is for the API server itself to find out (`engine.api.aggregation`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from skerry.engine.controllers.apiservice import wanted
from skerry.engine.controllers.context import Context
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, Conflict, NotFound
from skerry.kube.objects import Obj, name_of, uid_of
from skerry.kube.resources import API_SERVICES, CUSTOM_RESOURCE_DEFINITIONS


class ApiServiceController(Controller):
    """Keys are names of APIServices."""

    name = "apiservice"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._services = context.informers.of(API_SERVICES)
        self._definitions = context.informers.of(CUSTOM_RESOURCE_DEFINITIONS)
        self._builtin = wanted.builtin(context.group_versions())
        self.watch(self._services, lambda service: [name_of(service)])
        self.watch(self._definitions, self._versions)
        for name in self._builtin:
            self.queue.add(name)

    async def reconcile(self, key: str) -> float | None:
        """Make it, remove it, or bring its condition up to date."""
        service = self._services.get(key)
        everything = self._wanted(key)
        if service is None:
            if key in everything:
                with contextlib.suppress(AlreadyExists):
                    await self._client.create(API_SERVICES, everything[key])
            return None
        with contextlib.suppress(NotFound, Conflict):
            if wanted.is_superfluous(service, everything):
                await self._client.delete(API_SERVICES, key, options={"preconditions": {"uid": uid_of(service)}})
            elif renewed := wanted.mended(service, everything):
                await self._client.update(API_SERVICES, renewed)
            elif changed := wanted.with_availability(service, self._clock.now()):
                await self._client.update(API_SERVICES, changed, "status")
        return None

    def _wanted(self, name: str) -> dict[str, Obj]:
        if name in self._builtin:
            return self._builtin
        group = name.partition(".")[2]
        found: dict[str, Obj] = {}
        for definition in self._definitions.list():
            if definition["spec"]["group"] == group:
                found |= wanted.of_definition(definition)
        return found

    def _versions(self, definition: Obj) -> Iterable[str]:
        """All versions it names, and those there are of its group: it may have lost one."""
        group = definition["spec"]["group"]
        names = {f"{version['name']}.{group}" for version in definition["spec"]["versions"]}
        return names | {name_of(one) for one in self._services.list() if one["spec"].get("group") == group}
