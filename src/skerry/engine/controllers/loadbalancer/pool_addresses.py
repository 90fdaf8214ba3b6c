"""Which address of which pool each Service gets. Pure.

What a Service has it keeps, as long as its wishes and the pools allow that. Then, in order of age: an address it names,
one of the pool it names, or one of the pools that serve everybody, those first that are reserved for it. Several share
an address if they carry the same `metallb.io/allow-shared-ip` and their ports differ. Source: MetalLB's
`internal/allocator`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from skerry.engine.address_pools.pools import Labels, Pool, serves
from skerry.engine.address_pools.ranges import addresses, number
from skerry.engine.controllers.loadbalancer.requests import Grant, Request
from skerry.kube.objects import key_of

_LOWEST = 1 << 31
"""The rank of a pool without priority: 1 is the first, 0 is none."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is besides the Services."""

    pools: Sequence[Pool]
    """The eldest first."""
    taken: Mapping[int, str]
    """Addresses that nobody can be given, and what each is."""
    labels_of_namespace: Callable[[str], Labels]


@dataclass(slots=True)
class Book:
    """Who has which address."""

    around: Surroundings
    holders: dict[int, list[Request]] = field(default_factory=lambda: defaultdict(list))

    def pool_of(self, address: int) -> Pool | None:
        """The pool that has an address."""
        return next((pool for pool in self.around.pools if pool.has(address)), None)

    def admits(self, pool: Pool, one: Request) -> bool:
        """Whether the pool is for this Service."""
        return serves(pool, one.service, self.around.labels_of_namespace)

    def obstacle(self, address: int, one: Request) -> str:
        """Why the Service cannot have an address of a pool, "" when it can."""
        if address in self.around.taken:
            return f"is {self.around.taken[address]}"
        other = next((holder for holder in self.holders.get(address, ()) if not _may_share(one, holder)), None)
        return f"is in use by Service {other.key}" if other is not None else ""


def grants(requests: Iterable[Request], around: Surroundings) -> tuple[dict[str, Grant], Book]:
    """What each gets, by key, and who has what. `requests` are in order of seniority."""
    wanting, book = list(requests), Book(around)
    given: dict[str, int] = {}
    for one in wanting:
        kept = next((address for text in one.held if (address := _kept(text, one, book)) is not None), None)
        if kept is not None:
            given[one.key] = kept
            book.holders[kept].append(one)
    found: dict[str, Grant] = {}
    for one in wanting:
        problem = ""
        if one.key not in given:
            chosen = _chosen(one, book)
            if isinstance(chosen, str):
                problem = chosen
            else:
                given[one.key] = chosen
                book.holders[chosen].append(one)
        found[one.key] = Grant(problem=problem) if problem else Grant((str(IPv4Address(given[one.key])),))
    return found, book


def pool_status(pool: Pool, book: Book) -> dict[str, int]:
    """`status` of a pool: how many of its addresses are given out, and how many are left."""
    assigned = sum(1 for address, holders in book.holders.items() if holders and pool.has(address))
    unusable = sum(1 for address in book.around.taken if pool.has(address))
    left = pool.size - unusable - assigned
    return {"assignedIPv4": assigned, "assignedIPv6": 0, "availableIPv4": left, "availableIPv6": 0}


def _kept(text: str, one: Request, book: Book) -> int | None:
    """The address it has, if it may keep it."""
    address = number(text)
    if address is None or one.complaint or book.obstacle(address, one):
        return None
    pool = book.pool_of(address)
    wished = (not one.asked or text in one.asked) and (not one.pool or (pool is not None and pool.name == one.pool))
    return address if wished and pool is not None and book.admits(pool, one) else None


def _chosen(one: Request, book: Book) -> int | str:
    """An address for a Service that has none, or why there is none."""
    if one.complaint:
        return one.complaint
    if one.asked:
        return _named(one, book)
    if one.pool:
        pool = next((each for each in book.around.pools if each.name == one.pool), None)
        if pool is None:
            return f'unknown pool "{one.pool}"'
        if not book.admits(pool, one):
            return f'pool "{one.pool}" is not for this Service'
        return _first_free([pool], one, book)
    return _first_free(_in_order(one, book), one, book)


def _named(one: Request, book: Book) -> int | str:
    address = number(one.asked[0]) if len(one.asked) == 1 else None
    if address is None:
        return f"{', '.join(one.asked)}: one IPv4 address can be asked for"
    pool = book.pool_of(address)
    if pool is None or (one.pool and pool.name != one.pool):
        return f"{one.asked[0]} is not in " + (f'the pool "{one.pool}"' if one.pool else "any pool")
    if not book.admits(pool, one):
        return f'{one.asked[0]} is in the pool "{pool.name}", which is not for this Service'
    obstacle = book.obstacle(address, one)
    return f"{one.asked[0]} {obstacle}" if obstacle else address


def _first_free(pools: Sequence[Pool], one: Request, book: Book) -> int | str:
    for pool in pools:
        for address in addresses(pool.ranges):
            if pool.has(address) and not book.obstacle(address, one):
                return address
    names = ", ".join(key_of(pool.obj) for pool in pools)
    return f"no available IPs in {names}" if names else "no available IPs: no pool is for this Service"


def _in_order(one: Request, book: Book) -> list[Pool]:
    """Automatic pools for it: those reserved for some, by priority, then those for everybody."""
    automatic = [pool for pool in book.around.pools if pool.is_automatic and book.admits(pool, one)]
    return sorted(automatic, key=lambda pool: (not pool.allocation, pool.allocation.get("priority") or _LOWEST))


def _may_share(one: Request, other: Request) -> bool:
    alike = bool(one.sharing_key) and one.sharing_key == other.sharing_key and one.backends == other.backends
    return alike and not set(one.ports) & set(other.ports)
