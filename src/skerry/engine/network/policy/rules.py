"""The policies' nftables table, from policies and parties. Pure; `table` turns it into text, `hooks` has what is fixed.

How a connection is judged: by its original direction, whichever way a packet of it goes (`ct original ip saddr` asked,
`ct reply ip saddr` is where it was led to, after the translation of a Service's address). So replies need no rules, and
a connection that is forbidden is cut in both directions by the load that forbids it, without touching connection
tracking. `egress` and `ingress` lead from the address of a pod that policies select to the chain of its *profile*, the
policies that select it; pods of one workload share it. A profile jumps to the chains of its policies, which accept,
and drops what none of them accepted. Who a peer selector means is a set of addresses, shared by all that say the same.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.config import EngineConfig
from skerry.engine.network.policy.hooks import KNOWN, LINKS, OPENED, OWN, TYPES, hooks_of
from skerry.engine.network.policy.membership import Membership
from skerry.engine.network.policy.parties import Group, Listener, NamedPort, Party
from skerry.engine.network.policy.policies import Policy, Port, Rule
from skerry.engine.network.policy.ranges import contains
from skerry.engine.network.policy.table import Table

DIRECTIONS = ("egress", "ingress")
_OTHER_SIDE = {"egress": "ct reply ip saddr", "ingress": "ct original ip saddr"}
_LONGEST_NAME = 150  # of a chain; the kernel's limit is 255


@dataclass(frozen=True, slots=True)
class World:
    """All that the table depends on."""

    policies: Sequence[Policy]
    membership: Membership
    parties: Sequence[Party]
    listeners: Sequence[Listener] = ()
    links: frozenset[str] = frozenset()
    """The host's ends of the pods' interfaces."""
    opened: frozenset[str] = frozenset()
    """Namespaces whose pods may ask the cloud for its metadata."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What all pods of a group have in common: the sets they are in, and their profile for each direction."""

    sets: frozenset[str]
    profiles: Mapping[str, str]


def table_of(config: EngineConfig, world: World) -> Table:
    """The same world always gives the same table."""
    return _Making(config, world).table()


def members_named(policies: Iterable[Policy]) -> frozenset[str]:
    """The keys of all selections that rules name as peers."""
    return frozenset(peer.key for one in policies for _, rule in _rules_of(one) for peer in rule.peers)


class _Making:
    def __init__(self, config: EngineConfig, world: World) -> None:
        self._config = config
        self._world = world
        self._peers = members_named(world.policies)
        self._numbers = _numbers_of(world)
        self._seen: dict[Group, _Seen] = {}
        self._profiles: dict[str, tuple[str, list[Policy]]] = {}
        """By the name of its chain: direction and policies."""

    def table(self) -> Table:
        maps: dict[str, dict[str, str]] = {direction: {} for direction in DIRECTIONS}
        sets: dict[str, list[str]] = {name: [] for name in (OPENED, OWN, *(f"peers/{key}" for key in self._peers))}
        for party in self._world.parties:
            seen, address = self._look(party.group), party.address
            for direction, chain in seen.profiles.items():
                maps[direction][address] = chain
            for name in seen.sets:
                sets[name].append(address)
            if seen.profiles:
                sets[OWN].append(f"{address} . {address}")
        sets |= {_port_set(port): where for port, where in self._numbers.items()}
        sets[KNOWN] = [one.address for one in self._world.parties]
        sets[LINKS] = [f'"{one}"' for one in self._world.links]
        return Table(
            name=self._config.policy_table,
            maps=maps,
            sets={name: frozenset(found) for name, found in sets.items()},
            chains=self._chains(),
            hooks=hooks_of(self._config),
            types=TYPES,
        )

    def _look(self, group: Group) -> _Seen:
        seen = self._seen.get(group)
        if seen is None:
            member = self._world.membership.of(group)
            names = {f"peers/{key}" for key in member & self._peers}
            if group.namespace in self._world.opened:
                names.add(OPENED)
            seen = self._seen[group] = _Seen(frozenset(names), dict(self._profiles_of(member)))
        return seen

    def _profiles_of(self, member: frozenset[str]) -> Iterator[tuple[str, str]]:
        for direction in DIRECTIONS:
            policies = [
                one for one in self._world.policies if one.selected.key in member and one.rules(direction) is not None
            ]
            if policies:
                name = f"{direction}/{_digest(' '.join(one.key for one in policies))}"
                self._profiles[name] = direction, policies
                yield direction, name

    def _chains(self) -> dict[str, Sequence[str]]:
        chains: dict[str, Sequence[str]] = {}
        for direction, policies in self._profiles.values():
            for policy in policies:
                name = _chain_of(policy, direction)
                if name not in chains:
                    chains[name] = list(self._accepting(policy.rules(direction) or (), direction))
        for name, (direction, policies) in self._profiles.items():
            own = [self._for_listener(policies, one) for one in self._world.listeners] if direction == "egress" else []
            chains[name] = [*own, *(f"jump {_chain_of(policy, direction)}" for policy in policies), "drop"]
        return chains

    def _for_listener(self, policies: Iterable[Policy], listener: Listener) -> str:
        member = self._world.membership.of(listener.group)
        allowed = any(_allows(rule, listener, member) for policy in policies for rule in policy.egress or ())
        which = f"meta l4proto {listener.protocol} ct reply proto-src {listener.port} ct reply ip saddr"
        return f"{which} {listener.address} {'accept' if allowed else 'drop'}"

    def _accepting(self, rules: Iterable[Rule], direction: str) -> Iterator[str]:
        for rule in rules:
            for ports in self._port_matches(rule.ports):
                for peers in _peer_matches(rule, _OTHER_SIDE[direction]):
                    yield f"{ports}{peers}accept"

    def _port_matches(self, ports: Sequence[Port]) -> Iterator[str]:
        if not ports:
            yield ""
        for port in ports:
            protocol = f"meta l4proto {port.protocol} "
            if port.name:
                for known in self._numbers:
                    if (known.protocol, known.name) == (port.protocol, port.name):
                        yield f"{protocol}ct reply proto-src {known.number} ct reply ip saddr @{_port_set(known)} "
            elif port.first:
                numbers = str(port.first) if port.first == port.last else f"{port.first}-{port.last}"
                yield f"{protocol}ct reply proto-src {numbers} "
            else:
                yield protocol


def _peer_matches(rule: Rule, side: str) -> Iterator[str]:
    if rule.anyone:
        yield ""
    for peer in rule.peers:
        yield f"{side} @peers/{peer.key} "
    if rule.ranges:
        yield f"{side} {{ {', '.join(one.text for one in rule.ranges)} }} "


def _allows(rule: Rule, listener: Listener, member: frozenset[str]) -> bool:
    meant = rule.anyone or any(peer.key in member for peer in rule.peers) or contains(rule.ranges, listener.address)
    return meant and (not rule.ports or any(_covers(port, listener) for port in rule.ports))


def _covers(port: Port, listener: Listener) -> bool:
    if port.protocol != listener.protocol:
        return False
    if port.name:
        return port.name == listener.name
    return not port.first or port.first <= listener.shown <= port.last


def _numbers_of(world: World) -> dict[NamedPort, list[str]]:
    """Where the ports are that rules name: the same name may be another number in another pod."""
    named = {(port.protocol, port.name) for one in world.policies for _, rule in _rules_of(one) for port in rule.ports}
    found: dict[NamedPort, list[str]] = defaultdict(list)
    for party in world.parties:
        for port in party.ports:
            if (port.protocol, port.name) in named:
                found[port].append(party.address)
    return dict(sorted(found.items()))


def _rules_of(policy: Policy) -> Iterator[tuple[str, Rule]]:
    for direction in DIRECTIONS:
        for rule in policy.rules(direction) or ():
            yield direction, rule


def _port_set(port: NamedPort) -> str:
    return f"port/{port.protocol}/{port.name}/{port.number}"


def _chain_of(policy: Policy, direction: str) -> str:
    name = f"{direction}/{policy.namespace}/{policy.name}"
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}-{_digest(name)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
