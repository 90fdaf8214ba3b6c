"""What decides about hosts, as the caches have it: Domains, Ingresses, Services, namespaces.

Both controllers here look through this, and are told by it when something has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.dynamic_dns.claims import Situation
from skerry.engine.controllers.dynamic_dns.domains import Domain, read_domain
from skerry.engine.controllers.dynamic_dns.failures import DnsError
from skerry.engine.controllers.dynamic_dns.hosts import (
    HOSTNAME,
    Asked,
    Refusal,
    Source,
    asked_by_ingress,
    asked_by_service,
)
from skerry.engine.controllers.dynamic_dns.inventory import holders_of
from skerry.engine.definitions.domains import DOMAINS
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, uid_of
from skerry.kube.resources import INGRESSES, NAMESPACES, SERVICES


class Watching:
    """`changed` is called when hosts may go elsewhere than before; not while there is no Domain."""

    def __init__(self, context: Context, changed: Callable[[], None]) -> None:
        self.domains = context.informers.of(DOMAINS)
        self._cluster_domain = context.config.cluster_domain
        self._namespaces = context.informers.of(NAMESPACES)
        self._sources: dict[str, tuple[Informer, Callable[[Obj], Asked]]] = {
            "ingress": (context.informers.of(INGRESSES), asked_by_ingress),
            "service": (context.informers.of(SERVICES), _asked_by_service),
        }
        self._changed = changed
        self._namespaces.add_handler(self._namespace_changed)
        for informer, asked_by in self._sources.values():
            informer.add_handler(self._handler_of(asked_by))

    def situation(self) -> tuple[Situation, Sequence[Refusal]]:
        """As of now, with what objects ask for that cannot be."""
        requests, objections = [], []
        for informer, asked_by in self._sources.values():
            for obj in informer.list():
                asked = asked_by(obj)
                requests += asked.requests
                objections += asked.objections
        domains = self.domains.list()
        labels = {name_of(one): labels_of(one) for one in self._namespaces.list()}
        read = [one for one in map(self.read, domains) if isinstance(one, Domain)]
        return Situation(requests, read, labels, holders_of(domains), self._cluster_domain), objections

    def read(self, obj: Obj) -> Domain | DnsError:
        """A Domain, or what is wrong with it."""
        system = self._namespaces.get("kube-system")
        try:
            return read_domain(obj, uid_of(system) if system is not None else "")
        except DnsError as error:
            return error

    def source(self, source: Source) -> Obj | None:
        """The object that asks."""
        informer, _ = self._sources[source.kind]
        return informer.get(source.name, source.namespace)

    def _handler_of(self, asked_by: Callable[[Obj], Asked]) -> Callable[[Delta], None]:
        def handle(delta: Delta) -> None:
            if self.domains.list() and _ask(asked_by, delta.old) != _ask(asked_by, delta.new):
                self._changed()

        return handle

    def _namespace_changed(self, delta: Delta) -> None:
        if self.domains.list() and (
            delta.old is None or delta.new is None or labels_of(delta.old) != labels_of(delta.new)
        ):
            self._changed()


def _ask(asked_by: Callable[[Obj], Asked], obj: Obj | None) -> Asked:
    return asked_by(obj) if obj is not None else Asked()


def _asked_by_service(service: Obj) -> Asked:
    """Most Services have no such annotation."""
    return asked_by_service(service) if HOSTNAME in annotations_of(service) else Asked()
