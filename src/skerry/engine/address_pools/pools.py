"""IPAddressPools as objects declare them: which addresses are in which, whom they are for. Pure.

An address in two pools is of the elder one, and those that can never be given out (the cluster's own ranges) are of
none. Pools count in two namespaces only, because who may write into some namespace of their own has no say about the
network. Source: MetalLB's `internal/config`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from skerry.engine.address_pools.ranges import (
    IPV4,
    IPV6,
    Range,
    buggy,
    common,
    contains,
    is_buggy,
    of_family,
    read,
    size,
    whole,
    without,
)
from skerry.kube.objects import Obj, key_of, labels_of, name_of, namespace_of, uid_of
from skerry.kube.records import record
from skerry.kube.selectors import SelectorError, selector_of

NAMESPACES = ("metallb-system", "kube-system")
"""Where MetalLB is installed by everybody, and the one for operators that is always there."""
_UNUSABLE = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8", "fe80::/10", "ff00::/8")
_NO_NETWORK = tuple(whole(one) for one in _UNUSABLE)
"""Unusable as addresses of services: this host, loopback, link-local, multicast and reserved."""

Labels = Mapping[str, str]


@record
class Pool:
    """One pool; `ranges` is what it can give out."""

    obj: Obj
    ranges: tuple[Range, ...] = ()
    complaint: str = ""
    """Why it is less than was declared."""

    @property
    def name(self) -> str:
        """As annotations and advertisements name it."""
        return name_of(self.obj)

    @property
    def is_automatic(self) -> bool:
        """Whether it serves who names no pool."""
        return bool(self.obj["spec"].get("autoAssign", True))

    @property
    def avoids_buggy(self) -> bool:
        """Whether addresses that end in .0 and .255 are left out."""
        return bool(self.obj["spec"].get("avoidBuggyIPs"))

    @property
    def allocation(self) -> Obj:
        """Whom it is for; {} for everybody."""
        return self.obj["spec"].get("serviceAllocation") or {}

    def of(self, family: str) -> list[Range]:
        """Its ranges of a family."""
        return of_family(self.ranges, family)

    @property
    def size(self) -> int:
        """How many addresses it can give out."""
        return self.count(IPV4) + self.count(IPV6)

    def count(self, family: str) -> int:
        """How many addresses of a family it can give out."""
        return size(self.of(family)) - (buggy(self.of(family)) if self.avoids_buggy else 0)

    def has(self, address: int) -> bool:
        """Whether it can give out this address."""
        return contains(self.ranges, address) and not (self.avoids_buggy and is_buggy(address))


def pools_of(objects: Iterable[Obj], never: Iterable[str]) -> list[Pool]:
    """The pools, the eldest first. `never`: networks whose addresses must not be given out."""
    reserved = [*_NO_NETWORK, *(whole(one) for one in never)]
    found: list[Pool] = []
    for obj in sorted(objects, key=_seniority):
        found.append(_pool(obj, found, reserved))
    return found


def serves(pool: Pool, service: Obj, labels_of_namespace: Callable[[str], Labels]) -> bool:
    """Whether `serviceAllocation` lets the Service have an address of the pool. Raises SelectorError."""
    allocation, namespace = pool.allocation, namespace_of(service)
    named, selected = allocation.get("namespaces") or [], allocation.get("namespaceSelectors") or []
    if (named or selected) and namespace not in named:
        labels = labels_of_namespace(namespace)
        if not any(selector_of(one).matches(labels) for one in selected):
            return False
    selectors = allocation.get("serviceSelectors") or []
    return not selectors or any(selector_of(one).matches(labels_of(service)) for one in selectors)


def _pool(obj: Obj, elder: Sequence[Pool], reserved: Sequence[Range]) -> Pool:
    if namespace_of(obj) not in NAMESPACES:
        return Pool(obj, complaint=f"pools count in the namespaces {' and '.join(NAMESPACES)} only")
    declared, complaints = _declared(obj)
    if forbidden := common(declared, reserved):
        complaints.append(f"{_shown(forbidden)}: such addresses are not given out")
    usable = without(declared, reserved)
    for other in elder:
        if overlap := common(usable, other.ranges):
            complaints.append(f"{_shown(overlap)} belong to the elder IPAddressPool {key_of(other.obj)}")
            usable = without(usable, other.ranges)
    return Pool(obj, tuple(usable), "; ".join(complaints))


def _declared(obj: Obj) -> tuple[list[Range], list[str]]:
    """The ranges that can be read, and complaints about the others and about selectors nobody can read."""
    found: list[Range] = []
    complaints: list[str] = []
    for text in obj["spec"].get("addresses") or ():
        try:
            found += without([read(text)], found)
        except ValueError as error:
            complaints.append(str(error))
    allocation = obj["spec"].get("serviceAllocation") or {}
    for selector in (*(allocation.get("namespaceSelectors") or ()), *(allocation.get("serviceSelectors") or ())):
        try:
            selector_of(selector)
        except SelectorError as error:
            return [], [f"serviceAllocation: {error}"]
    return found, complaints


def _shown(ranges: Sequence[Range]) -> str:
    return ", ".join(str(one) for one in ranges)


def _seniority(obj: Obj) -> tuple[str, str, str]:
    return obj["metadata"].get("creationTimestamp") or "", key_of(obj), uid_of(obj)
