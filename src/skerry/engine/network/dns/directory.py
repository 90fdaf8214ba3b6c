"""Finds the objects that names and addresses stand for, in caches that the DNS server's own user fills.

Its neighbours are `zone`, which asks, and `cluster_dns`, which starts the caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from skerry.engine.network.dns.answers import GENERAL
from skerry.engine.network.services import SERVICE_NAME_LABEL, cluster_ips
from skerry.kube.informer import Delta, Informers
from skerry.kube.objects import Obj, key_of, labels_of, namespace_of
from skerry.kube.resources import ENDPOINT_SLICES, NAMESPACES, SERVICES

_BY_ADDRESS, _BY_SERVICE = "address", "service"


class ClusterDirectory:
    """Services, EndpointSlices and namespaces by what DNS asks for (`zone.Directory`)."""

    def __init__(self, informers: Informers) -> None:
        self._services = informers.of(SERVICES)
        self._slices = informers.of(ENDPOINT_SLICES)
        self._namespaces = informers.metadata_of(NAMESPACES)
        self._services.add_index(_BY_ADDRESS, cluster_ips)
        self._slices.add_index(_BY_SERVICE, _service_key)
        self._slices.add_index(_BY_ADDRESS, _addresses)

    def on_change(self, call: Callable[[str], None]) -> None:
        """Call it with the topic of every change: "namespace/service", or "" when it is about none."""
        self._services.add_handler(lambda delta: call(key_of(delta.object)))
        self._slices.add_handler(lambda delta: _tell_services(delta, call))
        self._namespaces.add_handler(lambda delta: call(GENERAL) if None in (delta.old, delta.new) else None)

    def service(self, namespace: str, name: str) -> Obj | None:
        """A Service by name."""
        return self._services.get(name, namespace)

    def slices(self, namespace: str, service: str) -> Sequence[Obj]:
        """The EndpointSlices of a Service."""
        return self._slices.by_index(_BY_SERVICE, f"{namespace}/{service}")

    def has_namespace(self, name: str) -> bool:
        """Whether there is such a namespace."""
        return self._namespaces.get(name) is not None

    def services_at(self, address: str) -> Sequence[Obj]:
        """Services with this cluster address."""
        return self._services.by_index(_BY_ADDRESS, address)

    def slices_at(self, address: str) -> Sequence[Obj]:
        """EndpointSlices with an endpoint at this address."""
        return self._slices.by_index(_BY_ADDRESS, address)


def _tell_services(delta: Delta, call: Callable[[str], None]) -> None:
    """A slice may change hands."""
    for key in {key for state in (delta.old, delta.new) if state is not None for key in _service_key(state)}:
        call(key)


def _service_key(piece: Obj) -> Iterable[str]:
    yield f"{namespace_of(piece)}/{labels_of(piece).get(SERVICE_NAME_LABEL, '')}"


def _addresses(piece: Obj) -> Iterable[str]:
    for endpoint in piece.get("endpoints") or ():
        yield from endpoint["addresses"]
