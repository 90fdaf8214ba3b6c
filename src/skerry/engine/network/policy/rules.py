"""The text of nft rules that accept what policies allow. Pure; `making` puts them into chains.

How a connection is judged: by its original direction, whichever way a packet of it goes. `ct original saddr` is who
asked, `ct reply saddr` and `ct reply proto-src` where the connection was led to, after the translation of a Service's
address. So replies need no rules, and a connection that is forbidden is cut in both directions by the load that
forbids it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.network.family import Family
from skerry.engine.network.policy.naming import peers_set, port_set
from skerry.engine.network.policy.parties import Listener, NamedPort
from skerry.engine.network.policy.policies import Direction, Port, Rule
from skerry.engine.network.policy.ranges import contains

_OTHER_SIDE = {"egress": "ct reply {} saddr", "ingress": "ct original {} saddr"}


@dataclass(frozen=True, slots=True)
class Accepting:
    """Writes rules, for these families, and with these ports that have names."""

    families: Sequence[Family]
    numbers: Mapping[tuple[str, str], Sequence[NamedPort]]
    """By protocol and name: the same name may be another number in another pod."""

    def rules(self, rules: Iterable[Rule], direction: Direction) -> list[str]:
        """What lets through what these rules of policies do, each once."""
        found: dict[str, None] = {}
        for rule in rules:
            for family in self.families:
                side = _OTHER_SIDE[direction].format(family.word)
                for ports in self._ports(rule.ports, family):
                    found |= {f"{ports}{peers}accept": None for peers in _peers(rule, family, side)}
        return list(found)

    def _ports(self, ports: Sequence[Port], family: Family) -> Iterator[str]:
        if not ports:
            yield ""
        for port in ports:
            protocol = f"meta l4proto {port.protocol} "
            if port.name:
                for one in self.numbers.get((port.protocol, port.name), ()):
                    where = f"ct reply {family.word} saddr @{port_set(one, family)}"
                    yield f"{protocol}ct reply proto-src {one.number} {where} "
            elif port.first:
                numbers = str(port.first) if port.first == port.last else f"{port.first}-{port.last}"
                yield f"{protocol}ct reply proto-src {numbers} "
            else:
                yield protocol


def for_listener(listener: Listener, *, allowed: bool) -> str:
    """What decides about a port of the engine's own."""
    port = f"meta l4proto {listener.protocol} ct reply proto-src {listener.port}"
    word = "ip6" if ":" in listener.address else "ip"
    return f"{port} ct reply {word} saddr {listener.address} {'accept' if allowed else 'drop'}"


def allows(rule: Rule, listener: Listener, selections: frozenset[str]) -> bool:
    """Whether a rule for what goes out means this port of the engine's own, which is in these selections."""
    peers = any(peer.key in selections for peer in rule.peers) or contains(rule.ranges, listener.address)
    return (rule.anyone or peers) and (not rule.ports or any(_means(port, listener) for port in rule.ports))


def _means(port: Port, listener: Listener) -> bool:
    if port.protocol != listener.protocol:
        return False
    if port.name:
        return port.name == listener.name
    return not port.first or port.first <= listener.shown <= port.last


def _peers(rule: Rule, family: Family, side: str) -> Iterator[str]:
    if rule.anyone:
        yield ""
    for peer in rule.peers:
        yield f"{side} @{peers_set(peer.key, family)} "
    ranges = [one.text for one in rule.ranges if one.family == family.name]
    if ranges:
        yield f"{side} {{ {', '.join(ranges)} }} "
