"""Keeps an eye on extension API servers: whether each answers, what it serves, and says so in its APIService.

Looks again when the APIService, its Service or the endpoints change, every half minute, and sooner while a server does
not answer. Services and endpoints are followed from the first extension server on. Neighbours: `servers` (the
way to them), `table` (which there are, and what was learnt of them). Source: `kube-aggregator`,
`pkg/controllers/status/remote` and `pkg/apiserver/handler_discovery.go`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import orjson

from skerry.engine.api.aggregation.endpoints import PASSED, SERVICE_NAME, Verdict
from skerry.engine.api.aggregation.following import follow
from skerry.engine.api.aggregation.remote import RemoteApi
from skerry.engine.api.aggregation.servers import ExtensionServers, Unreachable
from skerry.engine.api.aggregation.table import ApiServiceTable, Learnt
from skerry.engine.api.backend import Backend
from skerry.engine.store.contract import Change
from skerry.kube.client import Client
from skerry.kube.conditions import conditions_of, with_condition
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import labels_of
from skerry.kube.resources import API_SERVICES, ENDPOINT_SLICES, SERVICES

log = logging.getLogger(__name__)

_LOOK_AGAIN = 30.0
"""Seconds between looks at a server that answers, and the longest between looks at one that does not."""
_FIRST_RETRY = 0.01
_ENDPOINTS_TRIED = 5


class AggregationController(Controller):
    """Keys are names of APIServices. `client` writes their status."""

    name = "aggregation"
    workers = 5

    def __init__(self, backend: Backend, client: Client, table: ApiServiceTable, servers: ExtensionServers) -> None:
        super().__init__()
        self._backend = backend
        self._client = client
        self._servers = servers
        self._failures: dict[str, int] = {}
        self._followers: list[asyncio.Task[None]] = []
        self._started = False
        self.table = table
        table.changed = self._changed

    def start(self) -> None:
        """Follow the APIServices from now on."""
        super().start()
        self._started = True
        self.table.start()
        if self.table.remotes:
            self._follow_backends()

    async def close(self) -> None:
        """Stop; what is known stays so."""
        await self.table.close()
        for follower in self._followers:
            follower.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)
        await super().close()

    async def reconcile(self, key: str) -> float | None:
        """Ask one server, and write down whether it answered."""
        remote = self.table.named(key)
        if remote is None:
            self._failures.pop(key, None)
            return None
        verdict = await self._look(remote)
        if self.table.named(key) is not None:
            await self._write(key, verdict)
        if verdict is PASSED:
            self._failures.pop(key, None)
            return _LOOK_AGAIN
        if verdict.reason != "FailedDiscoveryCheck":
            return _LOOK_AGAIN  # a change of the Service or its endpoints comes by itself
        failures = self._failures[key] = min(self._failures.get(key, 0) + 1, 16)
        return float(min(_LOOK_AGAIN, _FIRST_RETRY * 2**failures))

    async def _look(self, remote: RemoteApi) -> Verdict:
        """Raises nothing: what goes wrong is the verdict."""
        found = self._servers.endpoints(remote)
        if isinstance(found, Verdict):
            self._lost(remote)
            return found
        try:
            authority, document = await self._first_answer(remote, found[:_ENDPOINTS_TRIED])
        except Unreachable as error:
            self._lost(remote)
            return Verdict("False", "FailedDiscoveryCheck", str(error))
        self.table.learn((remote.group, remote.version), await self._read(remote, authority, document))
        return PASSED

    async def _first_answer(self, remote: RemoteApi, authorities: list[str]) -> tuple[str, bytes]:
        """Who of several endpoints answers first, and what: one that is dead must not make the server so. Raises
        Unreachable."""

        async def ask(authority: str) -> tuple[str, bytes]:
            return authority, await self._servers.ask(remote, authority, remote.path)

        asked = [asyncio.create_task(ask(authority)) for authority in authorities]
        failure = Unreachable("there are no endpoints")
        try:
            for answer in asyncio.as_completed(asked):
                try:
                    return await answer
                except Unreachable as error:
                    failure = error
            raise failure
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _read(self, remote: RemoteApi, authority: str, document: bytes) -> Learnt:
        """What a discovery document says, and where the schemas are. One that says nothing readable is no reason to
        take the server for unavailable."""
        try:
            index = await self._servers.ask(remote, authority, "/openapi/v3")
            paths = orjson.loads(index)["paths"]
            schemas = str(paths.get(remote.path.lstrip("/"), {}).get("serverRelativeURL", ""))
        except (Unreachable, ValueError, LookupError, TypeError, AttributeError) as error:
            log.debug("%s: no OpenAPI 3 document: %s", remote.name, error)
            schemas = ""
        try:
            resources = list(orjson.loads(document).get("resources") or [])
        except (ValueError, AttributeError, TypeError) as error:
            log.warning("%s: what the server says about its resources cannot be read: %s", remote.name, error)
            return Learnt()
        return Learnt(tuple(filter(_is_resource, resources)), True, schemas)

    def _lost(self, remote: RemoteApi) -> None:
        """What was heard of it is stale."""
        place = remote.group, remote.version
        self.table.learn(place, self.table.learnt(place)._replace(current=False))

    async def _write(self, name: str, verdict: Verdict) -> None:
        try:
            obj = await self._client.get(API_SERVICES, name)
            if obj["spec"].get("service") is None:
                return
            current = conditions_of(obj)
            conditions = with_condition(current, {"type": "Available", **verdict._asdict()}, self._backend.clock.now())
            if conditions != current:
                status = {**(obj.get("status") or {}), "conditions": conditions}
                await self._client.update(API_SERVICES, {**obj, "status": status}, "status")
        except NotFound:
            return

    def _changed(self, name: str) -> None:
        self.queue.add(name)
        if self._started:
            self._follow_backends()

    def _follow_backends(self) -> None:
        if self._followers:
            return
        for resource, changed in ((SERVICES, self._service_changed), (ENDPOINT_SLICES, self._slice_changed)):
            following = follow(self._backend.store, resource.group_resource, self._look_at_all, changed)
            self._followers.append(asyncio.create_task(following, name=f"aggregation: {resource.plural}"))

    def _look_at_all(self) -> None:
        for remote in self.table.remotes.values():
            self.queue.add(remote.name)

    def _service_changed(self, change: Change) -> None:
        self._backend_changed(change.entry.key.namespace, change.entry.key.name)

    def _slice_changed(self, change: Change) -> None:
        self._backend_changed(change.entry.key.namespace, labels_of(change.entry.shared()).get(SERVICE_NAME, ""))

    def _backend_changed(self, namespace: str, service: str) -> None:
        for remote in self.table.remotes.values():
            if (remote.namespace, remote.service) == (namespace, service):
                self.queue.add(remote.name)


def _is_resource(entry: Any) -> bool:
    """Whether an entry of a discovery document is what it should be: others' servers may say anything."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        return False
    verbs = entry.get("verbs") or []
    return isinstance(verbs, list) and all(isinstance(verb, str) for verb in verbs)
