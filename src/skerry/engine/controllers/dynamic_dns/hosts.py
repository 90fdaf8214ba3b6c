"""Which DNS names Ingresses and Services ask for, and where these shall lead. Pure.

Hosts of an Ingress are those of its rules, its `tls` and its annotation; a Service of type LoadBalancer names them in
the annotation. The annotations are those of external-dns (its `docs/annotations`); one of them that is not known here
is an objection, not silence.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from skerry.kube.durations import parse_duration
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, namespace_of

PREFIX = "external-dns.alpha.kubernetes.io/"
HOSTNAME, TARGET, TTL, CONTROLLER, SOURCE = (
    PREFIX + name for name in ("hostname", "target", "ttl", "controller", "ingress-hostname-source")
)
_KNOWN = frozenset({HOSTNAME, TARGET, TTL, CONTROLLER, SOURCE})
_OURS = "dns-controller"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)*{_LABEL}")
"""Without underscores: whoever could lead `_acme-challenge.` of a name elsewhere would get certificates for it."""
_LONGEST_NAME = 253
_TTLS = range(1, 604801)  # seconds
RESERVED = ("localhost", "local", "internal", "test", "invalid", "example", "home.arpa")
"""Names that no public DNS has: RFC 6761, 6762, 8375 and ICANN's `internal`."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who asks."""

    kind: str
    """"ingress" or "service", as ownership marks have it."""
    namespace: str
    name: str

    def __str__(self) -> str:
        """As in ownership marks: "ingress/default/web"."""
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """One host that one object asks for."""

    host: str
    source: Source
    created: str
    """When the object was made, RFC 3339."""
    targets: Sequence[str] = ()
    """Addresses, or names for a CNAME; none while there is no address yet."""
    explicit: bool = False
    """Whether the targets were written by hand."""
    ttl: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a host gets no record: for an event at who asks."""

    source: Source
    host: str
    reason: str
    message: str


@dataclass(slots=True)
class Asked:
    """What one object asks for, and what of that cannot be."""

    requests: list[Request] = field(default_factory=list)
    objections: list[Refusal] = field(default_factory=list)


def asked_by_ingress(ingress: Obj) -> Asked:
    """The hosts of an Ingress, [] when another controller is named for it or it is going."""
    annotations = annotations_of(ingress)
    named = _split(annotations.get(HOSTNAME, ""))
    spec = ingress.get("spec") or {}
    hosts = list(dict.fromkeys(_of_rules(spec)))
    match annotations.get(SOURCE, ""):
        case "annotation-only":
            hosts = []
        case "defined-hosts-only":
            named = []
    return _asked("ingress", ingress, [*hosts, *named])


def asked_by_service(service: Obj) -> Asked:
    """The hosts of a Service, [] when it has no annotation that names some."""
    hosts = _split(annotations_of(service).get(HOSTNAME, ""))
    if not hosts:
        return Asked()
    if (kind := (service.get("spec") or {}).get("type")) != "LoadBalancer":
        source = Source("service", namespace_of(service), name_of(service))
        message = f"a Service of type {kind} has no address outside of the cluster: only type LoadBalancer gets records"
        return Asked(objections=[Refusal(source, host, "UnsupportedService", message) for host in hosts])
    return _asked("service", service, hosts)


def _of_rules(spec: Obj) -> Iterator[str]:
    for rule in spec.get("rules") or ():
        if rule.get("host"):
            yield rule["host"]
    for entry in spec.get("tls") or ():
        yield from entry.get("hosts") or ()


def _asked(kind: str, obj: Obj, hosts: Sequence[str]) -> Asked:
    annotations = annotations_of(obj)
    if is_deleting(obj) or annotations.get(CONTROLLER, _OURS) != _OURS:
        return Asked()
    source = Source(kind, namespace_of(obj), name_of(obj))
    asked = Asked(objections=[*_unknown(source, annotations)])
    written = _split(annotations.get(TARGET, ""))
    targets = written or addresses_of(obj)
    ttl = _ttl(source, annotations, asked)
    for host in dict.fromkeys(plain(host) for host in hosts):
        if len(host) > _LONGEST_NAME or not _HOST.fullmatch(host):
            asked.objections.append(Refusal(source, host, "InvalidHost", f"{host!r} is no DNS name"))
            continue
        created = str(obj["metadata"].get("creationTimestamp", ""))
        asked.requests.append(Request(host, source, created, targets, bool(written), ttl))
    return asked


def addresses_of(obj: Obj) -> list[str]:
    """Where the load balancer of an Ingress or a Service is reached."""
    entries = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [address for entry in entries if (address := entry.get("ip") or entry.get("hostname"))]


def plain(host: str) -> str:
    """Lower case, without the dot at the end."""
    return host.strip().rstrip(".").lower()


def needs_no_record(host: str, cluster_domain: str) -> bool:
    """Names that resolvers answer by themselves, or that only this cluster or network knows."""
    return "." not in host or any(is_under(host, suffix) for suffix in (*RESERVED, cluster_domain))


def is_under(host: str, domain: str) -> bool:
    """Whether a host is the domain or a name below it."""
    return host == domain or host.endswith("." + domain)


def records_for(targets: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Values by record type: addresses if there are any, else the first name as a CNAME."""
    found: dict[str, set[str]] = {}
    for target in targets:
        if (type_ := _type_of(target)) != "CNAME":
            found.setdefault(type_, set()).add(str(ipaddress.ip_address(target)))
    if not found and targets:
        return {"CNAME": (plain(targets[0]),)}
    return {type_: tuple(sorted(values)) for type_, values in sorted(found.items())}


def _type_of(target: str) -> str:
    try:
        return "A" if ipaddress.ip_address(target).version == 4 else "AAAA"
    except ValueError:
        return "CNAME"


def _unknown(source: Source, annotations: Mapping[str, str]) -> Iterator[Refusal]:
    for name in sorted(annotations):
        if name.startswith(PREFIX) and name not in _KNOWN:
            yield Refusal(source, "", "UnknownAnnotation", f"{name} is not known here and has no effect")


def _ttl(source: Source, annotations: Mapping[str, str], asked: Asked) -> int | None:
    text = annotations.get(TTL, "").strip()
    if not text:
        return None
    try:
        seconds = int(text) if text.isdecimal() else int(parse_duration(text).total_seconds())
    except ValueError:
        seconds = 0
    if seconds in _TTLS:
        return seconds
    message = f"{TTL}: {text!r} is neither seconds nor a duration of 1s to 168h"
    asked.objections.append(Refusal(source, "", "InvalidTTL", message))
    return None


def _split(text: str) -> list[str]:
    return [part for part in (piece.strip() for piece in text.split(",")) if part]
