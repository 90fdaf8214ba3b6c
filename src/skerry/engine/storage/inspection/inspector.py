"""Keeps one StoragePool for each driver that can list its volumes, and deletes the orphans that it is told to.

Looks when something changes: PersistentVolumes, claims, the pool; never by the clock, but for a volume that is too
new to be judged, and a driver that does not answer. A pool is made with the driver's first claim or PersistentVolume.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from skerry.engine.definitions.storage_pools import STORAGE_POOLS
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Ability, Driver, StorageError, Volume
from skerry.engine.storage.inspection import comparing
from skerry.engine.storage.inspection.comparing import Findings, Objects, driver_of, volumes_of
from skerry.engine.storage.provisioning.wanted import provisioner_of
from skerry.kube.clock import parse_time
from skerry.kube.conditions import conditions_of, with_condition
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.informer import Delta
from skerry.kube.objects import Obj, name_of
from skerry.kube.records import record
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES

_CALM = 1.0
"""Seconds from a change to the look at it: claims come and go in crowds."""
_UNANSWERED = 60.0
"""Seconds until a driver that could not be asked is asked again."""


@record
class _Look:
    """What a driver said."""

    volumes: Sequence[Volume] = ()
    available: int | None = None
    trouble: str = ""


class Inspector(Controller):
    """Keys are names of drivers, which are those of their pools."""

    name = "storage-inspector"
    workers = 2

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity(self.name)
        self._drivers = context.drivers
        self._clock = context.clock
        self._before: dict[str, Findings] = {}
        self._pools = informers.of(STORAGE_POOLS)
        self._volumes = informers.of(PERSISTENT_VOLUMES)
        self._claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._pools.add_handler(self._pool_changed)
        self._volumes.add_handler(self._volume_changed)
        self._claims.add_handler(self._claim_changed)

    def _pool_changed(self, delta: Delta) -> None:
        """Status, which we write ourselves, is no reason to look."""
        if delta.old is None or delta.new is None or _generation(delta.old) != _generation(delta.new):
            self.queue.add(name_of(delta.object))

    def _volume_changed(self, delta: Delta) -> None:
        if driver := driver_of(delta.object):
            self.queue.add_after(driver, _CALM)

    def _claim_changed(self, delta: Delta) -> None:
        if driver := provisioner_of(delta.object):
            self.queue.add_after(driver, _CALM)

    def look_again(self) -> None:
        """At every driver that has a pool: one of them may have come, or gone."""
        for pool in self._pools.list():
            self.queue.add(name_of(pool))

    async def reconcile(self, key: str) -> float | None:
        """Look at one driver's volumes."""
        driver, pool = self._drivers.get(key), self._pools.get(key)
        if driver is None:
            if pool is not None:
                await self._report(pool, Findings(), _Look(trouble="the driver is not there"))
            return None  # when it comes this is called again
        if Ability.LIST not in driver.abilities or not (pool or self._is_used(key)):
            return None
        earlier = frozenset(comparing.handle_of(one) for one in volumes_of(key, self._volumes.list()))
        look = await _ask(driver)
        pool = pool or await self._make(key)
        if pool is None:
            return None
        if look.trouble:
            await self._report(pool, Findings(), look)
            return _UNANSWERED
        findings = self._compared(pool, look.volumes, earlier)
        if (pool.get("spec") or {}).get("reclaim"):
            return _CALM if await self._reclaim(pool, driver, findings) else _UNANSWERED
        await self._report(pool, findings, look)
        return findings.again

    def _is_used(self, key: str) -> bool:
        return bool(volumes_of(key, self._volumes.list())) or any(
            provisioner_of(claim) == key for claim in self._claims.list()
        )

    def _compared(self, pool: Obj, volumes: Sequence[Volume], earlier: frozenset[str]) -> Findings:
        key = name_of(pool)
        objects = Objects(self._volumes.list(), self._claims.list(), earlier)
        before = self._before.get(key) or Findings(seen=_told(pool))  # of the engine before this one
        findings = comparing.compare(key, volumes, objects, before, self._clock.now())
        self._before[key] = findings
        return findings

    async def _make(self, key: str) -> Obj | None:
        """None when the kind is not served: somebody deleted the definition."""
        made = {"apiVersion": STORAGE_POOLS.api_version, "kind": STORAGE_POOLS.kind, "metadata": {"name": key}}
        try:
            return await self._client.create(STORAGE_POOLS, made)
        except AlreadyExists:
            return await self._client.get(STORAGE_POOLS, key)
        except NotFound:
            return None

    async def _reclaim(self, pool: Obj, driver: Driver, findings: Findings) -> bool:
        """Delete what may be deleted, judged by what the API has at this moment, and empty the list; whether it is."""
        wanted: list[str] = pool["spec"]["reclaim"]
        present = (await self._client.list(PERSISTENT_VOLUMES)).items
        verdict = comparing.judge(wanted, findings, name_of(pool), present)
        refused, later = dict(verdict.refused), []
        for handle in verdict.delete:
            try:
                await driver.delete(handle, {})
            except StorageError as error:
                refused[handle] = error.message
                later += [] if error.is_final else [handle]
        refusals = [{"handle": handle, "message": message} for handle, message in refused.items()]
        told = {**(pool.get("status") or {}), "refused": refusals}
        stored = await self._client.update(STORAGE_POOLS, {**pool, "status": told}, "status")
        if later != wanted:
            await self._client.update(STORAGE_POOLS, {**stored, "spec": {**stored["spec"], "reclaim": later}})
        return not later

    async def _report(self, pool: Obj, findings: Findings, look: _Look) -> None:
        before = pool.get("status") or {}
        now = self._clock.now()
        if look.trouble:
            ready = {"type": "Ready", "status": "False", "reason": "DriverUnavailable", "message": look.trouble}
            fresh = dict(before)
        else:
            ready = {"type": "Ready", "status": "True", "reason": "Inspected", "message": _message(findings)}
            fresh = {**comparing.status(findings, look.available), "refused": before.get("refused") or []}
        fresh["conditions"] = with_condition(conditions_of(pool), ready, now)
        fresh["observedGeneration"] = _generation(pool)
        if fresh != before:
            with contextlib.suppress(NotFound):
                await self._client.update(STORAGE_POOLS, {**pool, "status": fresh}, "status")


async def _ask(driver: Driver) -> _Look:
    try:
        volumes = await driver.volumes()
        return _Look(volumes, await driver.capacity({}))
    except StorageError as error:
        return _Look(trouble=error.message)


def _told(pool: Obj) -> dict[str, datetime]:
    """Since when orphans are known, as the status has it."""
    orphans: Iterable[Obj] = (pool.get("status") or {}).get("orphans") or ()
    return {one["handle"]: parse_time(one["since"]) for one in orphans if one.get("since")}


def _generation(pool: Obj) -> int:
    return int(pool["metadata"].get("generation", 0))


def _message(findings: Findings) -> str:
    found = {"orphaned": len(findings.orphans), "missing": len(findings.missing)}
    return ", ".join(chain([f"{len(findings.volumes)} volumes"], (f"{n} {what}" for what, n in found.items() if n)))
