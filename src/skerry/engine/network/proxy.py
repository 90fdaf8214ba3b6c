"""Keeps the nftables tables equal to what Services, EndpointSlices and host ports ask for.

Level-triggered: a change only marks the table as out of date; one task works out the table for everything that is known
and loads what differs from the loaded one, one `nft` at a time. A burst of changes becomes few loads. The table of an
engine that ran before us stays until our caches are complete, so connections survive a restart; then, and when a load
failed, the whole table is replaced. Neighbours: `rules` (one IP family), `host` (routes, removal).
"""

from __future__ import annotations

import asyncio
import logging

from skerry.engine.config import EngineConfig
from skerry.engine.network.family import families_of
from skerry.engine.network.host import load_empty_tables, set_up_host
from skerry.engine.network.keeping import Keeping, set_within
from skerry.engine.network.rules import FamilyRules
from skerry.engine.network.services import has_host_ports
from skerry.kube.informer import Delta, Informers
from skerry.kube.resources import ENDPOINT_SLICES, PODS, SERVICES

log = logging.getLogger(__name__)

_APART, _LONGEST_APART = 0.02, 0.32  # seconds between two loads; doubling while changes go on, to spare CPU for them
_LOOKED = 0.005  # seconds after a look that found nothing to load: most changes of pods on their way to ready are such
_VERIFY = 60.0  # seconds between looks whether somebody flushed our table


class ServiceProxy(Keeping):
    """The service network of one instance. `prepare` before any traffic, then `start`; `close` leaves the rules."""

    what = "service rules"

    def __init__(self, config: EngineConfig, informers: Informers) -> None:
        super().__init__()
        self._config = config
        self._services = informers.of(SERVICES)
        self._slices = informers.of(ENDPOINT_SLICES)
        self._pods = informers.of(PODS)
        self._rules = [FamilyRules(family, config.node_name) for family in families_of(config)]
        self._pause, self._loaded = _APART, False

    async def prepare(self) -> None:
        """Set up the machine: tables, then routes and forwarding. Raises CommandError, OSError."""
        await load_empty_tables(self._config)
        await set_up_host(self._config)

    def start(self) -> None:
        """Follow the caches from now on; nothing is loaded before they are complete."""
        for informer in (self._services, self._slices):
            informer.add_handler(lambda _: self._changed.set())
        self._pods.add_handler(self._pod_changed)
        self._keep(asyncio.gather(*(one.synced.wait() for one in (self._services, self._slices, self._pods))))

    def _pod_changed(self, delta: Delta) -> None:
        if has_host_ports(delta.object):
            self._changed.set()

    async def _wait_for_change(self) -> None:
        """Until something changed, or our table is found missing."""
        while not await set_within(self._changed, _VERIFY):
            for rules in self._rules:
                if await rules.was_removed():
                    log.warning("the table %s was removed by somebody else: loading it again", rules.family.table)
                    return

    async def _bring_about(self) -> None:
        self._loaded = await self._load()

    async def _rest(self) -> None:
        await asyncio.sleep(self._pause if self._loaded else _LOOKED)
        self._pause = next_pause(self._pause, self._loaded, self._changed.is_set())

    async def _load(self) -> bool:
        exposing = [pod for pod in self._pods.list() if has_host_ports(pod)]
        services, slices = self._services.list(), self._slices.list()
        return any([await rules.load(services, slices, exposing) for rules in self._rules])  # a list: load them all


def next_pause(pause: float, loaded: bool, more: bool) -> float:
    """Seconds to leave after the next load: longer if this one was followed by `more` changes, the shortest after a
    quiet moment. A look that found nothing to load does not count."""
    if not more:
        return _APART
    return min(pause * 2, _LONGEST_APART) if loaded else pause
