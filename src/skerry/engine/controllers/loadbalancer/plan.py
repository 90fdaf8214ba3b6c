"""Everything about LoadBalancer addresses at once: who gets what, and what pools have to say about it. Pure.

Whoever names an address or a pool is served by the pools. All others are as well, if any pool is automatic; if none is,
they share the node's own addresses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.address_pools.pools import Labels, Pool
from skerry.engine.controllers.loadbalancer import node_address, pool_addresses
from skerry.engine.controllers.loadbalancer.node_address import Taken
from skerry.engine.controllers.loadbalancer.pool_addresses import Surroundings
from skerry.engine.controllers.loadbalancer.requests import Grant, Request
from skerry.kube.objects import Obj


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known besides Services."""

    pools: Sequence[Pool]
    """The eldest first."""
    node_addresses: Sequence[str]
    """One of each family it has."""
    taken: Taken
    others_addresses: Mapping[int, str]
    """Addresses that others have, and what each is."""
    namespaces: dict[str, Labels]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    grants: dict[str, Grant]
    """By the Service's key."""
    pools: Sequence[tuple[Pool, Obj]]
    """Each pool with its status."""


def plan(requests: Iterable[Request], facts: Facts) -> Plan:
    """Decide about all Services; `requests` are in order of seniority."""
    automatic = any(pool.is_automatic and pool.size for pool in facts.pools)
    to_node: list[Request] = []
    to_pools: list[Request] = []
    for one in requests:
        names_none = not one.pool and set(one.asked) <= set(facts.node_addresses)
        (to_node if names_none and not automatic else to_pools).append(one)
    around = Surroundings(facts.pools, facts.others_addresses, lambda name: facts.namespaces.get(name, {}))
    granted, book = pool_addresses.grants(to_pools, around)
    granted |= node_address.grants(to_node, facts.node_addresses, facts.taken)
    return Plan(granted, [(pool, dict(pool_addresses.pool_status(pool, book))) for pool in facts.pools])
