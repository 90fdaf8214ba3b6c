"""The rules of one IP family as they are in the kernel, and their way to what is wanted: a load of what differs.

When it is not known what is loaded (at the start, after a failure, when somebody removed the table) the whole table is
replaced. Neighbours: `proxy` says when; `services`, `tables` and `loading` decide.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from skerry.engine.network.commands import CommandError, run
from skerry.engine.network.family import IPV4, Family
from skerry.engine.network.flows import Flow, datagram_flows
from skerry.engine.network.host import table_exists
from skerry.engine.network.loading import change, whole
from skerry.engine.network.machine import links_to
from skerry.engine.network.services import Forward, Forwarding, Place, is_reached_by_loopback
from skerry.engine.network.tables import Table, table_of
from skerry.kube.objects import Obj

_AFTER_OURS = "2048"
"""The machine itself reaches ::1 by the loopback interface, whose route's metric is 0."""


class FamilyRules:
    """One load at a time."""

    def __init__(self, family: Family, node: str) -> None:
        self.family = family
        own = frozenset(filter(None, (family.node_ip, family.loopback)))
        self._forwarding = Forwarding(Place(node, own, family.name))
        self._loaded: Table | None = None
        """What is in the kernel, None when that is not known."""
        self._datagram_flows: set[Flow] = set()
        self._open_links: set[str] = set()

    async def load(self, services: Iterable[Obj], slices: Iterable[Obj], pods: Iterable[Obj]) -> bool:
        """Make the kernel forward what these objects ask for; whether there was anything to load. Raises CommandError,
        OSError."""
        wanted = self._forwarding.of(services, slices, pods)
        if self.family.loopback:
            await self._open_loopback(wanted)
        table = table_of(self.family, wanted)
        loaded, self._loaded = self._loaded, None
        text = whole(self.family, table) if loaded is None else change(self.family, loaded, table)
        if text:
            await run("nft", "-f", "-", text=text)
        self._loaded = table
        await self._forget_datagrams(wanted)
        return bool(text)

    async def was_removed(self) -> bool:
        """Whether somebody else removed the table; then the next load replaces it."""
        if await table_exists(self.family):
            return False
        self._loaded = None
        return True

    async def _open_loopback(self, wanted: Iterable[Forward]) -> None:
        """Let replies from exposed pods reach our loopback address: what does so is per interface and goes with it."""
        addresses = {backend.address for one in wanted if is_reached_by_loopback(one) for backend in one.backends}
        links = set(links_to(addresses).values()) if addresses else set()
        for link in links - self._open_links:
            with contextlib.suppress(OSError, CommandError):  # the pod went away meanwhile, and its interface with it
                await open_link(self.family, link)
        self._open_links = links

    async def _forget_datagrams(self, wanted: Iterable[Forward]) -> None:
        """Connection tracking would send a client's datagrams to an endpoint that is gone for as long as it sends."""
        flows = {flow for one in wanted for flow in datagram_flows(one)}
        gone, self._datagram_flows = self._datagram_flows - flows, flows
        for flow in sorted(gone):
            with contextlib.suppress(CommandError):  # it says so with an error when there was nothing to forget
                await run("conntrack", "-D", "-f", self.family.name.lower(), *flow.selection)


async def open_link(family: Family, link: str) -> None:
    """Let what comes by an interface, once it is translated back, reach the machine's loopback address. IPv6 has no
    switch for that; but since it looks for ::1 only behind the interface a packet came by, a route there is as good.
    What comes for ::1 from outside is dropped by the kernel before. Raises CommandError, OSError."""
    if family.name == IPV4:
        Path(f"/proc/sys/net/ipv4/conf/{link}/route_localnet").write_text("1\n")
        return
    await run("ip", "-6", "route", "append", "local", "::1", "dev", link, "table", "local", "metric", _AFTER_OURS)
