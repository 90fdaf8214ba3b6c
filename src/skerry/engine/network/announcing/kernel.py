"""Announced addresses in the kernel: a route to ourselves, and what has the kernel answer for them by ARP or NDP.

An address is nobody's here: programs that listen on all addresses are not reached there, and nothing the machine sends
carries it. The kernel answers on the one interface and on no other, also while the engine is away. What is put there is
noted before in a file in the run directory, so that it can be taken away without the engine.

IPv4: an entry for proxy ARP (`ip neighbour add proxy`). The kernel lets those who ask wait for up to 0.8 s, by chance;
that is switched off on an interface while there is an entry of ours. IPv6: proxy NDP works on routers' interfaces only,
and such learn no routes. So the interface is given the address, deprecated from the start: nothing is sent from it
unasked; the tables of the service proxy refuse what is not for the Service (decision 0076).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

from skerry.engine.address_pools.ranges import IPV4, family_of
from skerry.engine.config import EngineConfig
from skerry.engine.network.announcing.wanted import Announcement, Interface
from skerry.engine.network.commands import CommandError, run

_AT_ONCE = "0"
_ALONE = 128
"""The length of an address without a network."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What we have put into the kernel."""

    routed: frozenset[str] = frozenset()
    announced: frozenset[Announcement] = frozenset()
    delays: dict[str, str] = field(default_factory=dict)
    """How long the kernel made those who ask wait before, by interface, as its file says it."""


class AnnouncedAddresses:
    """What there is of ours in the kernel, and how it changes."""

    def __init__(self, config: EngineConfig) -> None:
        self._file = config.paths.run / "announced.json"
        self.kept = self._read()

    async def put(self, routed: Collection[str], announced: Collection[Announcement]) -> None:
        """Add these; harmless for those that are there. Raises CommandError, OSError."""
        by_arp = {one.interface for one in announced if family_of(one.address) == IPV4}
        delays = {name: _delay(name).read_text().strip() for name in by_arp}
        new = {name: delay for name, delay in delays.items() if delay != _AT_ONCE}
        kept = self.kept
        self._write(Kept(kept.routed.union(routed), kept.announced.union(announced), {**new, **kept.delays}))
        await _ip("replace", routed, announced)
        for name in new:
            _set_delay(name, _AT_ONCE)

    async def take_away(self, routed: Collection[str], announced: Collection[Announcement]) -> None:
        """Remove these; harmless for those that are gone."""
        with contextlib.suppress(CommandError):  # some of them are gone already
            await _ip("del", routed, announced)
        left = replace(
            self.kept,
            routed=self.kept.routed.difference(routed),
            announced=self.kept.announced.difference(announced),
        )
        unused = self.kept.delays.keys() - {one.interface for one in left.announced}
        for name in unused:
            _set_delay(name, self.kept.delays[name])
        delays = {name: delay for name, delay in self.kept.delays.items() if name not in unused}
        self._write(replace(left, delays=delays))

    async def take_all_away(self) -> None:
        """For `skerry down`, and after a crash."""
        if self.kept != Kept():
            await self.take_away(self.kept.routed, self.kept.announced)

    def _read(self) -> Kept:
        try:
            found = json.loads(self._file.read_text())
            announced = frozenset(Announcement(*one) for one in found["announced"])
            return Kept(frozenset(found["routed"]), announced, dict(found["delays"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Kept()

    def _write(self, kept: Kept) -> None:
        if kept == self.kept:
            return
        fields: dict[str, Any] = asdict(kept)
        text = json.dumps({name: value if name == "delays" else sorted(value) for name, value in fields.items()})
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(text + "\n")
        fresh.replace(self._file)
        self.kept = kept


async def in_kernel() -> set[Announcement]:
    """All there are, of whomever. Raises CommandError."""
    entries = json.loads(await run("ip", "-j", "-4", "neighbour", "show", "proxy") or "[]")
    interfaces = json.loads(await run("ip", "-j", "-6", "address", "show", "deprecated") or "[]")
    found = {Announcement(one["dst"], one["dev"]) for one in entries if "dev" in one}
    for one in interfaces:
        alone = (each for each in one.get("addr_info") or () if each.get("prefixlen") == _ALONE)
        found |= {Announcement(each["local"], one["ifname"]) for each in alone}
    return found


async def interfaces() -> list[Interface]:
    """The machine's interfaces that are up. Raises CommandError."""
    shown = json.loads(await run("ip", "-j", "address", "show", "up") or "[]")
    return [_interface(one) for one in shown if one.get("ifname")]


def _interface(shown: dict[str, Any]) -> Interface:
    speaks = shown.get("link_type") == "ether" and "NOARP" not in shown["flags"]
    addresses = {
        one["local"]: ip_interface(f"{one['local']}/{one['prefixlen']}").network
        for one in shown.get("addr_info") or ()
        if one.get("scope") != "link"
    }
    return Interface(shown["ifname"], shown.get("address", "") if speaks else "", addresses)


def _delay(interface: str) -> Path:
    return Path("/proc/sys/net/ipv4/neigh") / interface / "proxy_delay"


def _set_delay(interface: str, value: str) -> None:
    with contextlib.suppress(OSError):  # the interface is gone, or the switch is not ours to set: answers come later
        _delay(interface).write_text(f"{value}\n")


async def _ip(verb: str, routed: Collection[str], announced: Collection[Announcement]) -> None:
    """All of them by one process, which goes on after an error."""
    lines = [f"route {verb} {address} dev lo" for address in sorted(routed)]
    lines += [_announcing(verb, one) for one in sorted(announced)]
    if lines:
        await run("ip", "-force", "-batch", "-", text="\n".join(lines) + "\n")


def _announcing(verb: str, one: Announcement) -> str:
    if family_of(one.address) == IPV4:
        return f"neighbour {verb} proxy {one.address} dev {one.interface}"
    how = " nodad preferred_lft 0" if verb == "replace" else ""
    return f"address {verb} {one.address}/{_ALONE} dev {one.interface}{how}"
