"""Which addresses of which pools each Service gets: one of each of its IP families. Pure.

What a Service has it keeps, as long as its wishes and the pools allow that. Then, in order of age: an address it names,
one of the pool it names, or one of the pools that serve everybody, those first that are reserved for it. Several share
an address if they carry the same `metallb.io/allow-shared-ip` and their ports differ. Families are decided about one by
one, so that they may come from different pools (in MetalLB one pool must have both). Who prefers two gets one while the
other is not to be had; who requires two waits, with what it has. Source: MetalLB's `internal/allocator`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from skerry.engine.address_pools.pools import Labels, Pool, serves
from skerry.engine.address_pools.ranges import IPV4, IPV6, addresses, contains, family_of, number, shown
from skerry.engine.controllers.loadbalancer.requests import Grant, Request
from skerry.kube.objects import key_of

_LOWEST = 1 << 31
"""The rank of a pool without priority: 1 is the first, 0 is none."""
_MOST = (1 << 63) - 1
"""A larger number has no place in a status."""


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

    def note(self, one: Request, addresses: Iterable[int]) -> None:
        """They are a Service's now."""
        for address in addresses:
            self.holders[address].append(one)

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
    held = {one.key: _held(one, book) for one in wanting}
    return {one.key: _grant(one, held[one.key], book) for one in wanting}, book


def pool_status(pool: Pool, book: Book) -> dict[str, int]:
    """`status` of a pool: how many of its addresses are given out, and how many are left."""
    found: dict[str, int] = {}
    for family in (IPV4, IPV6):
        ranges = pool.of(family)
        has = [address for address in (*book.holders, *book.around.taken) if contains(ranges, address)]
        assigned = {address for address in has if book.holders.get(address) and pool.has(address)}
        unusable = {address for address in has if address in book.around.taken and pool.has(address)}
        left = pool.count(family) - len(unusable) - len(assigned)
        found |= {f"assigned{family}": len(assigned), f"available{family}": min(left, _MOST)}
    return found


def _held(one: Request, book: Book) -> dict[str, int]:
    """What it has and may keep, by family."""
    found: dict[str, int] = {}
    for text in one.held:
        address = _kept(text, one, book)
        if address is not None:
            found.setdefault(family_of(text), address)
    book.note(one, found.values())
    return found


def _kept(text: str, one: Request, book: Book) -> int | None:
    """The address it has, if it may keep it."""
    address = number(text)
    if address is None or one.complaint or family_of(text) not in one.families or book.obstacle(address, one):
        return None
    pool = book.pool_of(address)
    wished = (not one.asked or text in one.asked) and (not one.pool or (pool is not None and pool.name == one.pool))
    return address if wished and pool is not None and book.admits(pool, one) else None


def _grant(one: Request, held: dict[str, int], book: Book) -> Grant:
    if one.complaint:
        return Grant(problem=one.complaint)
    new: dict[str, int] = {}
    problems: list[str] = []
    for family in one.families:
        if family not in held:
            chosen = _chosen(one, family, book)
            if isinstance(chosen, str):
                problems.append(chosen)
            else:
                new[family] = chosen
    must_have_all = one.needs_all or one.asked or not (held or new)
    if problems and must_have_all:
        return Grant(_in_text(one, held), problem=problems[0])
    book.note(one, new.values())
    return Grant(_in_text(one, held | new))


def _in_text(one: Request, addresses: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(shown(addresses[family]) for family in one.families if family in addresses)


def _chosen(one: Request, family: str, book: Book) -> int | str:
    """An address of a family for a Service that has none, or why there is none."""
    if one.asked:
        return _named(next(text for text in one.asked if family_of(text) == family), one, book)
    if one.pool:
        pool = next((each for each in book.around.pools if each.name == one.pool), None)
        if pool is None:
            return f'unknown pool "{one.pool}"'
        if not book.admits(pool, one):
            return f'pool "{one.pool}" is not for this Service'
        return _first_free([pool], family, one, book)
    return _first_free(_in_order(one, family, book), family, one, book)


def _named(text: str, one: Request, book: Book) -> int | str:
    address = number(text)
    pool = None if address is None else book.pool_of(address)
    if address is None or pool is None or (one.pool and pool.name != one.pool):
        return f"{text} is not in " + (f'the pool "{one.pool}"' if one.pool else "any pool")
    if not book.admits(pool, one):
        return f'{text} is in the pool "{pool.name}", which is not for this Service'
    obstacle = book.obstacle(address, one)
    return f"{text} {obstacle}" if obstacle else address


def _first_free(pools: Sequence[Pool], family: str, one: Request, book: Book) -> int | str:
    for pool in pools:
        for address in addresses(pool.of(family)):
            if pool.has(address) and not book.obstacle(address, one):
                return address
    names = ", ".join(key_of(pool.obj) for pool in pools)
    what = "no available IPs" if len(one.families) == 1 else f"no available {family} addresses"
    return f"{what} in {names}" if names else f"{what}: no pool is for this Service"


def _in_order(one: Request, family: str, book: Book) -> list[Pool]:
    """Automatic pools for it: those reserved for some, by priority, then those for everybody."""
    served = (pool for pool in book.around.pools if pool.of(family) and book.admits(pool, one))
    automatic = [pool for pool in served if pool.is_automatic]
    return sorted(automatic, key=lambda pool: (not pool.allocation, pool.allocation.get("priority") or _LOWEST))


def _may_share(one: Request, other: Request) -> bool:
    alike = bool(one.sharing_key) and one.sharing_key == other.sharing_key and one.backends == other.backends
    return alike and not set(one.ports) & set(other.ports)
