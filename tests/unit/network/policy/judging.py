"""Reads the rules of a policies' table as the kernel would: whether a connection passes. Knows what our rules use."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from skerry.engine.network.policy.table import Table

_CONDITION = re.compile(
    r"meta l4proto (?P<protocol>\w+) |ct reply proto-src (?P<first>\d+)(?:-(?P<last>\d+))? "
    r"|ct (?P<end>original|reply) ip6? saddr (?P<where>@\S+|\{[^}]*\}|\S+) "
)


class Packet(NamedTuple):
    """Of a connection, after translation."""

    source: str
    target: str
    protocol: str
    port: int


def passes(table: Table, packet: Packet) -> bool:
    """Through the two hooks of forwarded packets."""
    if f"{packet.source} . {packet.target}" in table.sets["own"]:
        return True
    chains = table.maps["egress"].get(packet.source), table.maps["ingress"].get(packet.target)
    return all(chain is None or _run(table, chain, packet) == "accept" for chain in chains)


def _run(table: Table, chain: str, packet: Packet) -> str:
    """The verdict of a chain, "" for none."""
    for rule in table.chains[chain]:
        if verdict := _judge(table, rule, packet):
            return verdict
    return ""


def _judge(table: Table, rule: str, packet: Packet) -> str:
    at = 0
    while match := _CONDITION.match(rule, at):
        if not _holds(table, match, packet):
            return ""
        at = match.end()
    verdict, _, chain = rule[at:].partition(" ")
    assert verdict in ("accept", "drop", "jump"), rule
    return _run(table, chain, packet) if verdict == "jump" else verdict


def _holds(table: Table, match: re.Match[str], packet: Packet) -> bool:
    if match["protocol"]:
        return match["protocol"] == packet.protocol
    if match["first"]:
        return int(match["first"]) <= packet.port <= int(match["last"] or match["first"])
    address, where = packet.source if match["end"] == "original" else packet.target, match["where"]
    if where.startswith("@"):
        return address in table.sets[where[1:]]
    return any(_inside(address, one.strip()) for one in where.strip("{} ").split(","))


def _inside(address: str, text: str) -> bool:
    first, _, last = text.partition("-")
    asked, low = ipaddress.ip_address(address), ipaddress.ip_address(first)
    high = ipaddress.ip_address(last or first)
    return asked.version == low.version and int(low) <= int(asked) <= int(high)
