"""Keeps the announced addresses equal to what Services, pools and L2Advertisements ask for.

An address is announced once nobody else on the network answers for it, and everybody is told. Level-triggered like the
service proxy; looks again by itself only while something is announced or refused. What an engine before us announced
stays until our caches are complete.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable

from skerry.engine.address_pools.pools import pools_of
from skerry.engine.address_pools.ranges import IPV4, IPV6, family_of
from skerry.engine.config import EngineConfig
from skerry.engine.definitions.installing import is_ours
from skerry.engine.definitions.metallb import ADDRESS_POOLS, L2_ADVERTISEMENTS
from skerry.engine.network.announcing import arp, ndp
from skerry.engine.network.announcing.kernel import AnnouncedAddresses, in_kernel, interfaces
from skerry.engine.network.announcing.wanted import Announcement, Interface, Place, Wanted, wanted
from skerry.engine.network.keeping import Keeping, set_within
from skerry.kube.events import Recorder
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, labels_of, name_of, uid_of
from skerry.kube.resources import CUSTOM_RESOURCE_DEFINITIONS, NODES, SERVICES
from skerry.kube.telling import Telling

log = logging.getLogger(__name__)

_LOOK_AGAIN = 60.0  # seconds; interfaces come and go, and with them what was announced there
_SERVED_SOON = 1.0  # seconds
_CONFLICT = "AddressConflict"
_SPEECHES = {IPV4: arp, IPV6: ndp}


class Announcer(Keeping):
    """`start` when the machine is set up; `close` leaves everything as it is."""

    what = "announced addresses"
    gather = 0.01

    def __init__(self, config: EngineConfig, informers: Informers, recorder: Recorder) -> None:
        super().__init__()
        self._config = config
        self._services = informers.of(SERVICES)
        self._pools = informers.of(ADDRESS_POOLS)
        self._advertisements = informers.of(L2_ADVERTISEMENTS)
        self._definitions = informers.of(CUSTOM_RESOURCE_DEFINITIONS)
        self._nodes = informers.of(NODES)
        self._telling = Telling(recorder.named("address-announcer"))
        self._kernel = AnnouncedAddresses(config)

    def start(self) -> None:
        """Follow the caches from now on."""
        self._services.add_handler(self._service_changed)
        for informer in (self._pools, self._advertisements):
            informer.add_handler(lambda _: self._changed.set())
        self._definitions.add_handler(self._definition_changed)
        followed = (self._services, self._pools, self._advertisements, self._definitions, self._nodes)
        self._keep(asyncio.gather(*(one.synced.wait() for one in followed)))

    def _service_changed(self, delta: Delta) -> None:
        if any(one is not None and one["spec"].get("type") == "LoadBalancer" for one in delta):
            self._changed.set()

    def _definition_changed(self, delta: Delta) -> None:
        if name_of(delta.object) == ADDRESS_POOLS.group_resource:
            self._changed.set()

    async def _wait_for_change(self) -> None:
        """Until something changed; or for a while, if there is anything to look after."""
        await set_within(self._changed, _LOOK_AGAIN if self._kernel.kept.routed else None)

    async def _bring_about(self) -> None:
        services, pools = self._services.list(), self._pools.list()
        definition = self._definitions.get(ADDRESS_POOLS.group_resource)
        if is_ours(definition) and not self._pools.revision:
            await asyncio.sleep(_SERVED_SOON)  # they are not served yet, and nothing must be withdrawn for that
            self._changed.set()
            return
        if not is_ours(definition) or not pools:
            await self._kernel.take_all_away()
            return
        place = Place(await interfaces(), labels_of(self._nodes.get(self._config.node_name) or {}))
        never = (*self._config.pod_cidrs, *self._config.service_cidrs)
        found = wanted(services, pools_of(pools, never), self._advertisements.list(), place)
        kept = self._kernel.kept
        await self._kernel.take_away(kept.routed - found.routed, kept.announced - found.announced.keys())
        await self._kernel.put(found.routed, ())
        await self._announce(found, place.interfaces)
        problems = {uid_of(service): problem for service, problem in found.unannounced}
        for service in services:
            self._telling.problem(service, "NotAnnounced", problems.get(uid_of(service), ""))
        self._telling.forget_all_but(services)

    async def _announce(self, found: Wanted, known: Iterable[Interface]) -> None:
        """Those that are not announced yet, interface by interface and family by family."""
        there = await in_kernel()
        new: dict[tuple[str, str], set[str]] = defaultdict(set)
        for one in found.announced.keys() - (there & self._kernel.kept.announced):
            new[one.interface, family_of(one.address)].add(one.address)
        foreign = there - self._kernel.kept.announced
        by_name = {one.name: one for one in known}
        own = {one.hardware for one in by_name.values()}
        for (name, family), addresses in sorted(new.items()):
            speech = _SPEECHES[family]
            taken = {one.address: "a program of this machine" for one in foreign if one.address in addresses}
            try:
                taken |= await speech.others_at(by_name[name], addresses - taken.keys(), own)
                free = addresses - taken.keys()
                await self._kernel.put((), [Announcement(address, name) for address in free])
                speech.declare(by_name[name], free)
            except OSError as error:  # the others need not wait for these; it is tried again later
                log.warning("addresses could not be announced on %s: %s", name, error)
                continue
            self._tell(found, name, taken, free)

    def _tell(self, found: Wanted, interface: str, taken: dict[str, str], free: Collection[str]) -> None:
        node = self._config.node_name
        for address in free:
            for service in self._about(found, address, interface):
                self._telling.problem(service, _CONFLICT, "")
                message = f'announcing {address} from node "{node}" with protocol "layer2" on {interface}'
                self._telling.news(service, "nodeAssigned", message)
        for address, who in taken.items():
            for service in self._about(found, address, interface):
                problem = f"{address} is not announced on {interface}: {who} answers for it already"
                self._telling.problem(service, _CONFLICT, problem)

    @staticmethod
    def _about(found: Wanted, address: str, interface: str) -> list[Obj]:
        return found.announced[Announcement(address, interface)]
