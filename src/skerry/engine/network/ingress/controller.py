"""Keeps what Caddy serves equal to what Ingresses, Services, endpoints and Secrets ask for.

Level-triggered, as `network.proxy`: a change only marks the configuration as out of date; one task works out all of it
and loads it if it differs, so that a burst of changes is few loads. Nothing runs, and no Service is published, before
there is an Ingress of ours. Neighbours: `planning` decides, `caddy` is the process, `reports` tells.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from skerry.engine.certificates import built_in
from skerry.engine.config import EngineConfig
from skerry.engine.network.ingress import program
from skerry.engine.network.ingress.caches import Caches
from skerry.engine.network.ingress.caddy import Caddy
from skerry.engine.network.ingress.classes import is_ours
from skerry.engine.network.ingress.document import document
from skerry.engine.network.ingress.gathering import Gathering
from skerry.engine.network.ingress.plan import Plan, Planner, Problems
from skerry.engine.network.ingress.proxying import Abilities
from skerry.engine.network.ingress.published import publish
from skerry.engine.network.ingress.reports import Reports
from skerry.engine.network.keeping import Keeping, set_within
from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists
from skerry.kube.objects import Obj, key_of
from skerry.kube.resources import SECRETS

log = logging.getLogger(__name__)

_APART, _LONGEST_APART = 0.05, 1.0  # seconds between two loads; doubling while changes go on, to spare CPU for others
AUTHORITY = (built_in.NAMESPACE, built_in.NAME)


class IngressController(Keeping):
    """One task. `start` when the caches may be read; `close` leaves Caddy serving."""

    what = "Ingress"
    gather = 0.005

    def __init__(self, config: EngineConfig, client: Client, caches: Caches, reports: Reports) -> None:
        super().__init__()
        self._config, self._client, self._caches, self._reports = config, client, caches, reports
        self._begun, self._pause = 0.0, _APART
        self._planner = Planner(caches.service, caches.slices)
        self._gathering = Gathering(caches.secret, caches.config_map)
        self._loaded: Obj | None = None
        """What Caddy was given, None when that is not known."""
        self.caddy = Caddy(config, self._caddy_changed)
        self.on_version: Callable[[str], None] = lambda _: None
        """Called with the version of a Caddy that runs from now on."""

    def start(self) -> None:
        """Follow the caches from now on."""
        self._caches.on_change(self._changed.set)
        self._keep(self._ready())

    async def close(self) -> None:
        """Stop following; Caddy goes on serving."""
        await super().close()
        await self.caddy.detach()

    def _caddy_changed(self) -> None:
        self._loaded = None
        self.trouble = "Caddy has ended; starting it anew"
        self._changed.set()

    async def _ready(self) -> None:
        await self._caches.synced()
        await self.caddy.adopt()

    async def _rest(self) -> None:
        took = monotonic() - self._begun
        await asyncio.sleep(self._pause)
        await self.caddy.handed_over()  # what changes until then is one load
        self._pause = next_pause(self._pause, took, more=self._changed.is_set())

    async def _wait_for_change(self) -> None:
        """Until something changed, or a certificate of ours must be renewed."""
        renewal = self._gathering.renewal()
        seconds = None if renewal is None else max(1.0, (renewal - self._now()).total_seconds())
        await set_within(self._changed, seconds)

    async def _bring_about(self) -> None:
        self._begun = monotonic()
        ours, others = self._sorted()
        if ours or self.caddy.pid:
            await self._caches.start_materials()
            plan, problems = await self._plan(ours)
            await self._serve(plan)
            if ours:
                await publish(self._client, self.caddy.listeners)
            await self._caches.present(plan.challenges)
            addresses = self._caches.addresses()
            for ingress in ours:
                await self._reports.served(ingress, addresses, problems.get(key_of(ingress), ()))
        for ingress in others:
            await self._reports.released(ingress)

    def _sorted(self) -> tuple[list[Obj], list[Obj]]:
        """Ingresses of ours, and all others."""
        ours: list[Obj] = []
        others: list[Obj] = []
        for ingress in self._caches.ingresses():
            (ours if is_ours(ingress, self._caches.ingress_class) else others).append(ingress)
        return ours, others

    async def _plan(self, ours: Sequence[Obj]) -> tuple[Plan, Problems]:
        asking = self._planner.read(ours)
        sites, problems = self._planner.sites(asking)
        authority = await self._authority()
        materials = await asyncio.to_thread(self._gathering.gather, sites, asking, authority, self._now())
        every = {key: (*found, *materials.problems.get(key, ())) for key, found in problems.items()}
        return Plan(sites, materials, self._caches.challenges()), every

    async def _serve(self, plan: Plan) -> None:
        if not self.caddy.pid:
            self._loaded = None
            await self.caddy.ensure()
        version = self.caddy.version
        abilities = Abilities(program.keeps_streams(version), self._config.cluster_dns, program.hands_over(version))
        wanted = document(plan, self.caddy.listeners, abilities)
        if wanted != self._loaded:
            self._loaded = None
            await self.caddy.load(wanted)
            self._loaded = wanted
            self.on_version(version)

    async def _authority(self) -> tuple[bytes, bytes]:
        """The built-in authority's certificate and key; made if nobody has made it."""
        namespace, name = AUTHORITY
        secret = self._caches.secret(name, namespace)
        if secret is None:
            body = await asyncio.to_thread(built_in.new_secret, self._config.instance, self._now())
            try:
                secret = await self._client.create(SECRETS, body, namespace)
            except AlreadyExists:
                secret = await self._client.get(SECRETS, name, namespace)
        data = secret.get("data") or {}
        return base64.b64decode(data.get("tls.crt", "")), base64.b64decode(data.get("tls.key", ""))

    def _now(self) -> datetime:
        return self._config.clock.now()


def next_pause(pause: float, took: float, *, more: bool) -> float:
    """Seconds to leave after the next load: the shortest after a quiet moment; while there are `more` changes each time
    twice as long, until it is as long as a load `took`, so that half of the time is others'."""
    return min(2 * pause, max(_APART, took), _LONGEST_APART) if more else _APART
