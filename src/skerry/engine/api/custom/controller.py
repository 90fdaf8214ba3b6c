"""The loop that follows the definitions in the store: names, conditions, what is served, and their end.

A definition is served from the moment its names are accepted, before its condition says so: who waits for Established
finds it. One that is deleted takes its objects along: they are deleted one by one, so that their finalizers count, and
the definition goes after the last of them. Neighbours: `names` (decisions), `definitions`, `schema.registry`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from skerry.engine.api.backend import Backend
from skerry.engine.api.custom.ending import delete_instances
from skerry.engine.api.custom.names import Condition, Names, decide_names, with_conditions
from skerry.engine.api.webhooks.client import WebhookClient
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.custom.definition import CRD, FINALIZER, state_of
from skerry.engine.store.contract import Entry, Key, StoreClosed, WatchOverflow
from skerry.kube.client import Client
from skerry.kube.conditions import condition_is_true
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.objects import Obj, is_deleting

if TYPE_CHECKING:
    from skerry.engine.api.custom.definitions import Definition

log = logging.getLogger(__name__)

_RESOURCE = CRD.group_resource
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 30.0
"""Seconds between attempts to take a definition down."""
_IN_PROGRESS: Condition = (
    "Terminating",
    "True",
    "InstanceDeletionInProgress",
    "CustomResource deletion is in progress",
)
_COMPLETED: Condition = ("Terminating", "False", "InstanceDeletionCompleted", "removed all instances")
_BUILT_IN: Condition = (
    "Terminating", "False", "OverlappingBuiltInResource", "instances overlap with built-in resources in storage",
)  # fmt: skip
_NEVER_SERVED: Condition = ("Terminating", "False", "NeverEstablished", "resource was never established")


class CustomResources(Controller):
    """Keys are names of definitions. `client` writes their status. Usable for `load` before it is started."""

    name = "custom-resources"
    workers = 2

    def __init__(self, backend: Backend, client: Client, webhooks: WebhookClient) -> None:
        super().__init__()
        self._backend = backend
        self._client = client
        self._webhooks = webhooks
        self._served: dict[str, Definition] = {}
        self._names: dict[str, tuple[str, Obj]] = {}
        """Group and accepted names of every definition."""
        self._follower: asyncio.Task[None] | None = None
        self._ending: dict[str, asyncio.Task[None]] = {}

    def load(self) -> None:
        """Serve what is established already."""
        for entry in self._backend.store.list(_RESOURCE):
            obj = entry.decode()
            self._remember(obj)
            if condition_is_true(obj, "Established"):
                self._serve(entry, obj)

    def start(self) -> None:
        """Follow the definitions from now on."""
        super().start()
        self._follower = asyncio.create_task(self._follow(), name="custom resource definitions")

    async def close(self) -> None:
        """Stop; what is served stays so."""
        tasks = [task for task in (self._follower, *self._ending.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await super().close()
        await self._webhooks.close()

    async def _follow(self) -> None:
        store = self._backend.store
        while True:
            watch = store.watch(_RESOURCE, since=store.revision)
            for name in {*(entry.key.name for entry in store.list(_RESOURCE)), *self._names}:
                self.queue.add(name)
            with contextlib.suppress(WatchOverflow):
                try:
                    while True:
                        for change in await watch.next():
                            self.queue.add(change.entry.key.name)
                except StoreClosed:
                    return

    async def reconcile(self, key: str) -> float | None:
        """Bring one definition's status and what is served in line with its spec."""
        entry = self._backend.store.get(Key(_RESOURCE, "", key))
        if entry is None:
            self._forget(key)
            return None
        obj = entry.decode()
        self._remember(obj)
        if is_deleting(obj):
            self._end(entry, obj)
            return None
        names = decide_names(obj, self._others(obj))
        if names.established or condition_is_true(obj, "Established"):
            self._serve(entry, obj if not names.established else _with_names(obj, names))
        await self._write_names(obj, names)
        return None

    async def _write_names(self, obj: Obj, names: Names) -> None:
        status = obj.get("status") or {}
        conditions = with_conditions(status, names.conditions, self._backend.clock.now())
        if status.get("acceptedNames") == names.accepted and status.get("conditions") == conditions:
            return
        written = await self._write(obj, {**status, "acceptedNames": names.accepted, "conditions": conditions})
        self._remember(written)
        self._reconsider_others(obj)

    async def _write(self, obj: Obj, status: Obj) -> Obj:
        return await self._client.update(CRD, {**obj, "status": status}, "status")

    def _remember(self, obj: Obj) -> None:
        accepted = (obj.get("status") or {}).get("acceptedNames") or {}
        self._names[obj["metadata"]["name"]] = (obj["spec"]["group"], accepted)

    def _others(self, obj: Obj) -> Iterable[Obj]:
        name, group = obj["metadata"]["name"], obj["spec"]["group"]
        return [names for other, (of_group, names) in self._names.items() if of_group == group and other != name]

    def _reconsider_others(self, obj: Obj) -> None:
        group = obj["spec"]["group"]
        for other, (of_group, _) in self._names.items():
            if of_group == group and other != obj["metadata"]["name"]:
                self.queue.add(other)

    def _forget(self, name: str) -> None:
        """A definition has gone: serve it no more; its names are free."""
        group, _ = self._names.pop(name, ("", {}))
        if (definition := self._served.pop(name, None)) is not None:
            self._replace(definition.served, [])
        for other, (of_group, _) in self._names.items():
            if of_group == group:
                self.queue.add(other)

    def _serve(self, entry: Entry, obj: Obj) -> None:
        name = entry.key.name
        current = self._served.get(name)
        if self._is_built_in(obj) or (current is not None and current.state == state_of(obj)):
            return
        from skerry.engine.api.custom.definitions import Definition  # most engines start without one

        made = Definition(entry, obj, self._webhooks)
        self._served[name] = made
        self._replace(current.served if current is not None else [], made.served)

    def _is_built_in(self, obj: Obj) -> bool:
        """Whether the engine has such a resource of its own: that one is served, and its objects are never touched."""
        spec = obj["spec"]
        kinds = self._backend.registry.kinds(spec["group"])
        return any(kind.definition and kind.resource.plural == spec["names"]["plural"] for kind in kinds)

    def _replace(self, old: Sequence[Kind], new: Sequence[Kind]) -> None:
        registry = self._backend.registry
        kept = {kind.resource.version for kind in new}
        for kind in new:
            registry.add(kind)
        for kind in old:
            if kind.resource.version not in kept:
                registry.remove(kind)

    def _end(self, entry: Entry, obj: Obj) -> None:
        """Begin to take a definition down, once."""
        name = entry.key.name
        if name in self._served:
            self._serve(entry, obj)
        if FINALIZER in (obj["metadata"].get("finalizers") or ()) and name not in self._ending:
            task = self._ending[name] = asyncio.create_task(self._take_down(name), name=f"end of {name}")
            task.add_done_callback(lambda _: self._ending.pop(name, None))

    async def _take_down(self, name: str) -> None:
        delay = _FIRST_DELAY
        while True:
            try:
                await self._take_down_once(name)
            except NotFound:
                return
            except StatusError as error:
                log.warning("%s: %s; trying again in %.1f s", name, error, delay)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
            else:
                return

    async def _take_down_once(self, name: str) -> None:
        obj = await self._client.get(CRD, name)
        outcome = _BUILT_IN if self._is_built_in(obj) else _NEVER_SERVED
        if (definition := self._served.get(name)) is not None:
            await self._write(obj, self._ended(obj, _IN_PROGRESS))
            await delete_instances(self._backend, definition.storage_kind)
            self._replace(definition.served, [])  # before the definition goes, so that nobody finds one without it
            outcome = _COMPLETED
            obj = await self._client.get(CRD, name)
        finalizers = [each for each in obj["metadata"].get("finalizers") or () if each != FINALIZER]
        metadata = {**obj["metadata"], "finalizers": finalizers}
        await self._write({**obj, "metadata": metadata}, self._ended(obj, outcome))

    def _ended(self, obj: Obj, condition: Condition) -> Obj:
        status = obj.get("status") or {}
        return {**status, "conditions": with_conditions(status, [condition], self._backend.clock.now())}


def _with_names(obj: Obj, names: Names) -> Obj:
    return {**obj, "status": {**(obj.get("status") or {}), "acceptedNames": names.accepted}}
