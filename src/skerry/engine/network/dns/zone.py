"""Which records a name of the cluster domain has, and which name an address has. Pure.

Follows the Kubernetes DNS-Based Service Discovery specification 1.1.0; where that is silent, CoreDNS' plug-in
`kubernetes` as kubeadm configures it (`pods insecure`): names of pods are answered for any address, in namespaces that
exist. Names are given as lower-case labels without the domain. Neighbours: `directory` finds objects, `resolver` asks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from skerry.engine.network.services import SERVICE_NAME_LABEL, cluster_ips
from skerry.kube.objects import Obj, labels_of, name_of, namespace_of

SCHEMA_VERSION = "1.1.0"
_PRIORITY, _WEIGHT = 0, 100
_FAMILIES = ("IPv4", "IPv6")
_DASHES = str.maketrans(".:", "--")


class Record(NamedTuple):
    """One record. `value`: an address, a name with its final dot, a text, or "priority weight port target"."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """What there is at a name: `records` of the kind asked for (or the CNAME that stands for all kinds), and `more`,
    the addresses of the targets these name. Without records the name still exists, unless `exists` is False."""

    records: tuple[Record, ...] = ()
    more: tuple[Record, ...] = ()
    exists: bool = True

    @property
    def alias(self) -> str:
        """Where the name leads to, "" if it is no alias."""
        return self.records[0].value if self.records and self.records[0].kind == "CNAME" else ""


NOTHING = Found(exists=False)
"""No such name (NXDOMAIN)."""
EMPTY = Found()
"""The name exists, but nothing of this kind (NODATA)."""


class Directory(Protocol):
    """Finds objects; `directory.ClusterDirectory` does so in caches."""

    def service(self, namespace: str, name: str) -> Obj | None:
        """A Service by name."""
        ...

    def slices(self, namespace: str, service: str) -> Sequence[Obj]:
        """The EndpointSlices of a Service."""
        ...

    def has_namespace(self, name: str) -> bool:
        """Whether there is such a namespace."""
        ...

    def services_at(self, address: str) -> Sequence[Obj]:
        """Services with this cluster address."""
        ...

    def slices_at(self, address: str) -> Sequence[Obj]:
        """EndpointSlices with an endpoint at this address."""
        ...


class _Endpoint(NamedTuple):
    hostname: str
    address: str


class Zone:
    """The records of one cluster domain. `servers`: the addresses of the DNS Service, which the domain's NS names."""

    def __init__(self, domain: str, servers: Sequence[str], directory: Directory) -> None:
        self.domain = domain
        self._servers = servers
        self._directory = directory

    def find(self, labels: Sequence[str], kind: str) -> Found:
        """What is at `labels` + the domain, of this kind (A, SRV...)."""
        match tuple(labels):
            case ():
                return self._of_kind(kind, [Record(f"{self.domain}.", "NS", f"ns.dns.{self.domain}.")])
            case ("svc",) | ("pod",) | ("dns",):
                return EMPTY
            case ("dns-version",):
                return self._of_kind(kind, [Record(self._name("dns-version"), "TXT", SCHEMA_VERSION)])
            case ("ns", "dns"):
                return self._of_kind(kind, [_of_address(self._name("ns.dns"), one) for one in self._servers])
            case (namespace, "svc" | "pod"):
                return EMPTY if self._directory.has_namespace(namespace) else NOTHING
            case (dashed, namespace, "pod"):
                return self._pod(dashed, namespace, kind)
            case (*below, name, namespace, "svc"):
                service = self._directory.service(namespace, name)
                return self._in_service(service, below, kind) if service is not None else NOTHING
        return NOTHING

    def find_address(self, address: str) -> Found:
        """The names (PTR) of an address of a service or an endpoint."""
        pointer = ipaddress.ip_address(address).reverse_pointer + "."
        targets = [self._service_name(service) for service in self._directory.services_at(address)]
        for piece in self._directory.slices_at(address) if not targets else ():
            targets += self._named_endpoints(piece, address)
        records = tuple(Record(pointer, "PTR", target) for target in dict.fromkeys(targets))
        return Found(records) if records else NOTHING

    def _named_endpoints(self, piece: Obj, address: str) -> Iterator[str]:
        """Names of the ready endpoints of a slice that have this address and a host name."""
        service = self._directory.service(namespace_of(piece), labels_of(piece).get(SERVICE_NAME_LABEL, ""))
        if service is None:
            return
        for endpoint in _ready(piece):
            if endpoint.get("hostname") and address in endpoint["addresses"]:
                yield f"{endpoint['hostname']}.{self._service_name(service)}"

    def _name(self, below: str) -> str:
        return f"{below}.{self.domain}."

    def _service_name(self, service: Obj) -> str:
        return self._name(f"{name_of(service)}.{namespace_of(service)}.svc")

    @staticmethod
    def _of_kind(asked: str, records: Iterable[Record]) -> Found:
        """These are all records there are; they answer only a question for their kind."""
        found = tuple(records)
        if not found:
            return NOTHING
        wanted = tuple(one for one in found if one.kind == asked)
        return Found(wanted) if wanted else EMPTY

    def _pod(self, dashed: str, namespace: str, kind: str) -> Found:
        address = _undashed(dashed)
        if address is None or not self._directory.has_namespace(namespace):
            return NOTHING
        return self._of_kind(kind, [_of_address(self._name(f"{dashed}.{namespace}.pod"), address)])

    def _in_service(self, service: Obj, below: Sequence[str], kind: str) -> Found:
        """At the name of a Service, or below it."""
        spec, name = service["spec"], self._service_name(service)
        if spec.get("type") == "ExternalName":
            return NOTHING if below else Found((Record(name, "CNAME", spec["externalName"].rstrip(".") + "."),))
        headless = spec.get("clusterIP") == "None"
        match tuple(below):
            case () if kind == "SRV":
                return self._ports(service, headless, name, "", "")
            case ():
                return self._of_kind(kind, self._addresses(service, headless))
            case (hostname,) if headless and not hostname.startswith("_"):
                return self._of_kind(kind, self._one_endpoint(service, hostname))
            case (protocol,) if protocol.startswith("_"):
                found = self._ports(service, headless, name, "", protocol[1:])
                return EMPTY if found.exists else NOTHING
            case (port, protocol) if port.startswith("_") and protocol.startswith("_"):
                found = self._ports(service, headless, f"{port}.{protocol}.{name}", port[1:], protocol[1:])
                return found if kind == "SRV" or not found.exists else EMPTY
        return NOTHING

    def _addresses(self, service: Obj, headless: bool) -> Iterator[Record]:
        name = self._service_name(service)
        if headless:
            yield from (_of_address(name, address) for address in self._endpoint_addresses(service))
        else:
            yield from (_of_address(name, address) for address in cluster_ips(service) if address)

    def _endpoint_addresses(self, service: Obj) -> Iterable[str]:
        """Every address once: a slice each for ports that differ may show an endpoint twice."""
        return dict.fromkeys(one.address for piece in self._slices_of(service) for one in _endpoints(piece))

    def _one_endpoint(self, service: Obj, hostname: str) -> Iterator[Record]:
        name = f"{hostname}.{self._service_name(service)}"
        found = (one.address for piece in self._slices_of(service) for one in _endpoints(piece) if _is(one, hostname))
        yield from (_of_address(name, address) for address in dict.fromkeys(found))

    def _ports(self, service: Obj, headless: bool, name: str, port: str, protocol: str) -> Found:
        """SRV records of the named ports that `port` and `protocol` select; "" selects all."""
        if headless:
            return self._endpoint_ports(service, name, port, protocol)
        target = self._service_name(service)
        chosen = [one for one in service["spec"].get("ports") or () if _selects(one, port, protocol)]
        records = tuple(Record(name, "SRV", _srv(one["port"], target)) for one in chosen)
        more = tuple(self._addresses(service, headless=False))
        return Found(records, more) if records else NOTHING

    def _endpoint_ports(self, service: Obj, name: str, port: str, protocol: str) -> Found:
        records: dict[Record, None] = {}
        more: dict[Record, None] = {}
        for piece in self._slices_of(service):
            for one in (one for one in piece.get("ports") or () if _selects(one, port, protocol)):
                for endpoint in _endpoints(piece):
                    target = f"{endpoint.hostname}.{self._service_name(service)}"
                    records[Record(name, "SRV", _srv(one["port"], target))] = None
                    more[_of_address(target, endpoint.address)] = None
        return Found(tuple(records), tuple(more)) if records else NOTHING

    def _slices_of(self, service: Obj) -> Sequence[Obj]:
        return self._directory.slices(namespace_of(service), name_of(service))


def _ready(piece: Obj) -> Iterator[Obj]:
    """Ready endpoints; one that does not say is ready."""
    for endpoint in piece.get("endpoints") or ():
        if (endpoint.get("conditions") or {}).get("ready", True) is not False:
            yield endpoint


def _endpoints(piece: Obj) -> Iterator[_Endpoint]:
    """Ready endpoints; one without a host name is called by its address, as CoreDNS does."""
    for endpoint in _ready(piece) if piece.get("addressType") in _FAMILIES else ():
        for address in endpoint["addresses"]:
            yield _Endpoint(str(endpoint.get("hostname") or address.translate(_DASHES)).lower(), address)


def _of_address(name: str, address: str) -> Record:
    return Record(name, "AAAA" if ":" in address else "A", address)


def _undashed(label: str) -> str | None:
    """The address that a pod's name stands for, None if it stands for none."""
    is_ipv4 = label.count("-") == 3 and "--" not in label
    try:
        return str(ipaddress.ip_address(label.replace("-", "." if is_ipv4 else ":")))
    except ValueError:
        return None


def _is(endpoint: _Endpoint, hostname: str) -> bool:
    return endpoint.hostname == hostname


def _selects(entry: Obj, port: str, protocol: str) -> bool:
    """Whether a port has this name and protocol; unnamed ports have no SRV records."""
    name, has = str(entry.get("name") or "").lower(), str(entry.get("protocol") or "TCP").lower()
    return bool(name) and port in ("", name) and protocol in ("", has)


def _srv(port: int, target: str) -> str:
    return f"{_PRIORITY} {_WEIGHT} {port} {target}"
