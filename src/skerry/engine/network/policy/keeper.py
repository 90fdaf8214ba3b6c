"""Keeps the policies' nftables table equal to what NetworkPolicies, namespaces' and pods' labels ask for.

Level-triggered like `network.proxy`: a change marks the table as out of date, one task loads what differs. A pod that
was attached is not kept waiting by the pause between loads. The table of an engine that ran before us stays in force
until `start`, when the node agent has told of the pods that run; a table that cannot be loaded leaves the old one in
force and holds back new pods. Neighbours: `roster`, `making` and `table` (pure), `network.host` (removal).
"""

from __future__ import annotations

import asyncio
import logging

from skerry.engine.config import EngineConfig
from skerry.engine.network.cni import pod_gateways
from skerry.engine.network.commands import run
from skerry.engine.network.host import tables_there
from skerry.engine.network.keeping import Keeping, set_within
from skerry.engine.network.machine import links_to
from skerry.engine.network.policy.making import World, table_of
from skerry.engine.network.policy.membership import Membership
from skerry.engine.network.policy.parties import SYSTEM, Listener, listeners_at
from skerry.engine.network.policy.policies import Policy, policy_of
from skerry.engine.network.policy.roster import Roster
from skerry.engine.network.policy.table import Table, change, whole
from skerry.engine.network.services import SERVICE_NAME_LABEL
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, labels_of, name_of, namespace_of
from skerry.kube.resources import ENDPOINT_SLICES, NAMESPACES, NETWORK_POLICIES, PODS, SERVICES

log = logging.getLogger(__name__)

_APART = 0.04  # seconds between two loads, unless a pod waits
_VERIFY = 60.0  # seconds between looks whether somebody flushed our table


class PolicyKeeper(Keeping):
    """The policies of one instance; also the node agent's `PodNetwork`. `prepare` before any traffic, `start` when the
    agent has told of the pods that run; `close` leaves the rules."""

    what = "network policies"

    def __init__(self, config: EngineConfig, informers: Informers) -> None:
        super().__init__()
        self._config = config
        self._policies = informers.of(NETWORK_POLICIES)
        self._namespaces = informers.metadata_of(NAMESPACES)
        self._pods = informers.of(PODS)
        self._services = informers.of(SERVICES)
        self._slices = informers.of(ENDPOINT_SLICES)
        self._roster = Roster(_link_to)
        self._waited_for = asyncio.Event()
        self._loads = asyncio.Condition()
        self._in_force = 0
        """The newest attachment that the loaded table knows."""
        self._loaded: Table | None = None
        """What is in the kernel, None when that is not known."""
        self._read: dict[str, tuple[Obj, Policy]] = {}
        self._membership: Membership | None = None
        """None when policies or namespaces have changed."""

    async def prepare(self) -> None:
        """Have a table, unless an engine before us left one: nobody may send anything yet. Raises CommandError."""
        if f"inet {self._config.policy_table}" not in await tables_there():
            await run("nft", "-f", "-", text=whole(table_of(self._config, World(Membership((), {})))))

    def start(self) -> None:
        """Follow the caches from now on. The node agent has told of all pods that run."""
        self._policies.add_handler(lambda _: self._selections_changed())
        self._namespaces.add_handler(self._namespace_changed)
        self._pods.add_handler(self._pod_changed)
        for informer in (self._services, self._slices):
            informer.add_handler(self._service_changed)
        following = (self._policies, self._namespaces, self._pods, self._services, self._slices)
        self._keep(asyncio.gather(*(one.synced.wait() for one in following)))

    # ---- what the node agent tells

    def check(self, pod: Obj) -> None:
        """Policies refuse no pod."""

    def attached(self, pod: Obj, addresses: tuple[str, ...]) -> None:
        """The pod has these addresses from now on."""
        self._roster.attach(pod, addresses)
        self._waited_for.set()
        self._changed.set()

    def detached(self, uid: str) -> None:
        """The pod has no addresses any more, if it had some."""
        if self._roster.detach(uid):
            self._changed.set()

    async def ready(self, uid: str) -> None:
        """Returns when the rules for the pod are in force, or when it has no address to be guarded."""
        async with self._loads:
            await self._loads.wait_for(lambda: self._roster.ticket(uid) <= self._in_force)

    # ---- what the API tells

    def _selections_changed(self) -> None:
        self._membership = None
        self._changed.set()

    def _namespace_changed(self, delta: Delta) -> None:
        if delta.old is None or delta.new is None or labels_of(delta.old) != labels_of(delta.new):
            self._selections_changed()

    def _pod_changed(self, delta: Delta) -> None:
        if delta.new is not None and self._roster.update(delta.new):
            self._changed.set()

    def _service_changed(self, delta: Delta) -> None:
        if namespace_of(delta.object) == SYSTEM:
            self._changed.set()

    # ---- the loop

    async def _rest(self) -> None:
        await set_within(self._waited_for, _APART)

    async def _wait_for_change(self) -> None:
        """Until something changed, or our table is found missing."""
        while not await set_within(self._changed, _VERIFY):
            if f"inet {self._config.policy_table}" not in await tables_there():
                log.warning("the table %s was removed by somebody else: loading it again", self._config.policy_table)
                self._loaded = None
                return

    async def _bring_about(self) -> None:
        self._waited_for.clear()
        tickets = self._roster.tickets
        table = table_of(self._config, self._world())
        loaded, self._loaded = self._loaded, None
        text = whole(table) if loaded is None else change(loaded, table)
        if text:
            await run("nft", "-f", "-", text=text)
        self._loaded = table
        async with self._loads:
            self._in_force = tickets
            self._loads.notify_all()

    def _world(self) -> World:
        if self._membership is None:
            labels = {name_of(one): labels_of(one) for one in self._namespaces.list()}
            self._membership = Membership(self._known_policies(), labels)
        return World(self._membership, self._roster.parties(), self._listeners(), self._roster.links())

    def _known_policies(self) -> list[Policy]:
        """In a stable order; objects are never changed in place, so each is read once."""
        before, self._read = self._read, {}
        for obj in self._policies.list():
            key = f"{namespace_of(obj)}/{name_of(obj)}"
            known = before.get(key)
            self._read[key] = known if known is not None and known[0] is obj else (obj, policy_of(obj))
        return [self._read[key][1] for key in sorted(self._read)]

    def _listeners(self) -> list[Listener]:
        services = {name_of(one): one for one in self._services.list(SYSTEM)}
        pieces = [one for one in self._slices.list(SYSTEM) if SERVICE_NAME_LABEL in labels_of(one)]
        return listeners_at(pod_gateways(self._config), services, pieces)


def _link_to(address: str) -> str:
    """The host's end of a pod's interface; without it, only lies about other pods' addresses are found out."""
    link = links_to({address}).get(address, "")
    if not link:
        log.warning("no interface leads to the pod at %s", address)
    return link
