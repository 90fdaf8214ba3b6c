"""The policies' nftables table, from policies and parties. Pure; `table` turns it into text.

Verdict maps lead from the address of a pod that policies select to the chain of its profile, for each direction. A
profile jumps to the chains of its policies, which accept, and drops what none of them accepted. Whom a peer selector
means is a set of addresses, shared by all rules that say the same. Neighbours: `membership` says who is selected,
`rules` writes what accepts, `hooks` has what is the same for all.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.config import EngineConfig
from skerry.engine.network.family import Family, families_of
from skerry.engine.network.policy.hooks import KNOWN, LINKS, OPENED, OWN, hooks_of, types_of
from skerry.engine.network.policy.membership import DIRECTIONS, Membership, Profile, Standing
from skerry.engine.network.policy.naming import of_family, peers_set, port_set
from skerry.engine.network.policy.parties import Listener, NamedPort, Party
from skerry.engine.network.policy.policies import Direction, Policy
from skerry.engine.network.policy.rules import Accepting, allows, for_listener
from skerry.engine.network.policy.table import Table

_LONGEST_NAME = 150  # of a chain; the kernel's limit is 255


@dataclass(frozen=True, slots=True)
class World:
    """All that the table depends on."""

    membership: Membership
    parties: Sequence[Party] = ()
    listeners: Sequence[Listener] = ()
    links: frozenset[str] = frozenset()
    """The host's ends of the pods' interfaces."""


def table_of(config: EngineConfig, world: World) -> Table:
    """The same world always gives the same table."""
    making = _Making(config, world)
    for party in world.parties:
        making.add(party)
    return making.table()


class _Making:
    def __init__(self, config: EngineConfig, world: World) -> None:
        self._config = config
        self._world = world
        self._families = families_of(config)
        self._rules = [rule for one in world.membership.policies for rule in one.all_rules()]
        self._peers = frozenset(peer.key for rule in self._rules for peer in rule.peers)
        self._named = {(port.protocol, port.name) for rule in self._rules for port in rule.ports if port.name}
        self._numbers: set[NamedPort] = set()
        self._profiles: dict[str, Profile] = {}
        self._types = dict(types_of(config))
        self._maps: dict[str, dict[str, str]] = {}
        self._sets: dict[str, list[str]] = defaultdict(list)
        for family in self._families:
            self._maps |= {of_family(direction, family): {} for direction in DIRECTIONS}
            self._types |= {peers_set(key, family): family.address_type for key in self._peers}

    def add(self, party: Party) -> None:
        """Put a pod where it belongs."""
        standing = self._world.membership.of(party.group)
        self._profiles |= {one.name: one for one in standing.profiles}
        ports = [port for port in party.ports if port[:2] in self._named]
        self._numbers.update(ports)
        for family in self._families:
            for address in filter(family.has, party.addresses):
                self._add(address, family, standing)
                for port in ports:
                    self._sets[port_set(port, family)].append(address)

    def _add(self, address: str, family: Family, standing: Standing) -> None:
        self._sets[of_family(KNOWN, family)].append(address)
        for profile in standing.profiles:
            self._maps[of_family(profile.direction, family)][address] = profile.name
        if standing.profiles:
            self._sets[of_family(OWN, family)].append(f"{address} . {address}")
        if standing.opened:
            self._sets[of_family(OPENED, family)].append(address)
        for key in standing.selections & self._peers:
            self._sets[peers_set(key, family)].append(address)

    def table(self) -> Table:
        """What came of it."""
        self._types |= {
            port_set(port, family): family.address_type for port in self._numbers for family in self._families
        }
        self._sets[LINKS] = [f'"{one}"' for one in self._world.links]
        return Table(
            name=self._config.policy_table,
            maps=self._maps,
            sets={name: frozenset(self._sets[name]) for name in self._types if name not in self._maps},
            types=self._types,
            chains={**self._policy_chains(), **self._profile_chains()},
            hooks=hooks_of(self._config),
        )

    def _policy_chains(self) -> Mapping[str, Sequence[str]]:
        numbers: dict[tuple[str, str], list[NamedPort]] = defaultdict(list)
        for port in sorted(self._numbers):
            numbers[port.protocol, port.name].append(port)
        accepting, known = Accepting(self._families, numbers), frozenset(self._numbers)
        chains, written = {}, self._world.membership.written
        for profile in self._profiles.values():
            for policy in profile.policies:
                name = _chain_of(policy, profile.direction)
                if (name, known) not in written:
                    rules = policy.rules(profile.direction) or ()
                    written[name, known] = accepting.rules(rules, profile.direction)
                chains[name] = written[name, known]
        return chains

    def _profile_chains(self) -> Mapping[str, Sequence[str]]:
        return {
            one.name: [
                *(self._for_listener(one, listener) for listener in self._world.listeners if one.direction == "egress"),
                *(f"jump {_chain_of(policy, one.direction)}" for policy in one.policies),
                "drop",
            ]
            for one in self._profiles.values()
        }

    def _for_listener(self, profile: Profile, listener: Listener) -> str:
        selections = self._world.membership.of(listener.group).selections
        rules = (rule for policy in profile.policies for rule in policy.egress or ())
        return for_listener(listener, allowed=any(allows(rule, listener, selections) for rule in rules))


def _chain_of(policy: Policy, direction: Direction) -> str:
    name = f"{direction}/{policy.namespace}/{policy.name}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
