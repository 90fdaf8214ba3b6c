"""A Domain as the controller reads it: which hosts it covers, who may use it, where its zone is. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.hosts import is_under, plain
from skerry.engine.controllers.dynamic_dns.server import split_address
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.selectors import Selector, selector_of

_OWNER_PREFIX = "skerry-"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Where the key's secret is kept."""

    namespace: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Domain:
    """One Domain object. `owner` is what marks say."""

    name: str
    domain: str
    zone: str
    server: tuple[str, int]
    key_name: str
    algorithm: str
    secret: SecretKey
    ttl: int
    owner: str
    targets: Sequence[str]
    namespaces: frozenset[str] | None
    """Who may use it; None: everybody whom `selector` takes."""
    selector: Selector | None
    created: str
    going: bool

    def covers(self, host: str) -> bool:
        """Whether a host, or a wildcard, is under this domain."""
        return is_under(host, self.domain)

    def admits(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether objects of a namespace may have hosts here."""
        if self.namespaces is None and self.selector is None:
            return True
        listed = self.namespaces is not None and namespace in self.namespaces
        return listed or (self.selector is not None and self.selector.matches(labels))


def read_domain(obj: Obj, cluster: str) -> Domain:
    """`cluster`: what tells this cluster from others, for the default owner. Raises DnsError "InvalidSpec"."""
    spec = obj["spec"]
    tsig, reference = spec["tsig"], spec["tsig"]["secretRef"]
    domain, zone = plain(spec["domain"]), plain(spec.get("zone") or spec["domain"])
    if not is_under(domain, zone):
        raise DnsError("InvalidSpec", f"spec.domain {domain} is not in spec.zone {zone}")
    names = spec.get("namespaces")
    selector = spec.get("namespaceSelector")
    try:
        return Domain(
            name=name_of(obj),
            domain=domain,
            zone=zone,
            server=split_address(spec["server"]),
            key_name=tsig["keyName"],
            algorithm=tsig.get("algorithm", "hmac-sha256"),
            secret=SecretKey(reference["namespace"], reference["name"], reference.get("key") or "secret"),
            ttl=spec.get("ttl", 300),
            owner=spec.get("owner") or f"{_OWNER_PREFIX}{cluster}",
            targets=[_address(target) for target in spec.get("targets") or ()],
            namespaces=frozenset(names) if names is not None else None,
            selector=selector_of(selector) if selector is not None else None,
            created=obj["metadata"].get("creationTimestamp", ""),
            going=is_deleting(obj),
        )
    except (DnsError, ValueError) as error:
        raise DnsError("InvalidSpec", str(error)) from None


def _address(target: str) -> str:
    """A target as it is, when it is an address or could be a name."""
    try:
        return str(ipaddress.ip_address(target))
    except ValueError:
        if target.replace(".", "").isdecimal() or ":" in target or not plain(target):
            raise DnsError("InvalidSpec", f"spec.targets: {target!r} is neither an address nor a name") from None
        return plain(target)


def covering(domains: Sequence[Domain], host: str) -> Domain | None:
    """The Domain that is in charge of a host: the longest name, the oldest of equal ones."""
    found = [one for one in domains if one.covers(host)]
    return min(found, key=lambda one: (-len(one.domain), one.created, one.name), default=None)


def rival_of(domain: Domain, domains: Sequence[Domain]) -> Domain | None:
    """An older Domain with the same name, which has it."""
    first = covering([one for one in domains if one.domain == domain.domain], domain.domain)
    return first if first is not None and first.name != domain.name else None
