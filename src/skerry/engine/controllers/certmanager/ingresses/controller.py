"""Makes the Certificates that Ingresses ask for, keeps them as asked, removes those no longer named, and tells at the
Ingress how they are.

Certificates of that name that are not the Ingress's own are left alone. Source of the behaviour: cert-manager's
`pkg/controller/certificate-shim/sync.go`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates.issuance import next_revision, request_of
from skerry.engine.controllers.certmanager.ingresses.reports import Progress, report
from skerry.engine.controllers.certmanager.ingresses.wanted import (
    BadConfig,
    asks,
    certificates_for,
    incomplete,
    issuer_of,
)
from skerry.engine.controllers.certmanager.room import Room
from skerry.engine.definitions.acme import ORDERS
from skerry.engine.definitions.certmanager import CERTIFICATE_REQUESTS, CERTIFICATES, CLUSTER_ISSUERS, ISSUERS
from skerry.kube.controller import Controller
from skerry.kube.objects import (
    Obj,
    annotations_of,
    controller_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    split_key,
    uid_of,
)
from skerry.kube.resources import INGRESSES


class IngressCertificates(Controller):
    """Keys are those of Ingresses."""

    name = "ingress certificates"
    workers = 2

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self._ingresses = room.of(INGRESSES)
        self._certificates = room.of(CERTIFICATES)
        self._orders = room.of(ORDERS)
        self._orders.add_index("owner", _owner)
        self._told: dict[str, dict[str, str]] = {}
        self.watch(self._ingresses)
        self.watch_owned(self._certificates, INGRESSES)
        self.watch(self._orders, self._of_order)
        self.watch(room.of(ISSUERS), self._of_issuer)
        self.watch(room.of(CLUSTER_ISSUERS), self._of_issuer)
        self.watch(room.definitions, self._all)

    def _of_order(self, order: Obj) -> Iterable[str]:
        name = annotations_of(order).get(names.CERTIFICATE_NAME, "")
        certificate = self._certificates.get(name, namespace_of(order))
        owner = controller_of(certificate) if certificate else None
        return [f"{namespace_of(order)}/{owner['name']}"] if owner else []

    def _of_issuer(self, issuer: Obj) -> Iterable[str]:
        """Ingresses that may wait for it, or whose default it is."""
        return (key_of(one) for one in self._ingresses.list(issuer["metadata"].get("namespace")) if asks(one))

    def _all(self, definition: Obj) -> Iterable[str]:
        ours = name_of(definition) == CERTIFICATES.group_resource
        return map(key_of, self._ingresses.list()) if ours else ()

    async def reconcile(self, key: str) -> float | None:
        """Bring the Certificates of an Ingress in line with it."""
        namespace, name = split_key(key)
        ingress = self._ingresses.get(name, namespace)
        if ingress is None or is_deleting(ingress):
            self._told.pop(key, None)
            return None
        if not asks(ingress) or not self._room.acts_on(CERTIFICATES):
            return None
        try:
            wanted = certificates_for(ingress, issuer_of(ingress, self._default_issuer()))
        except BadConfig as error:
            text = f"Could not determine issuer for ingress due to bad annotations: {error}"
            self._tell(ingress, "", "Warning", "BadConfig", text)
            return None
        for text in incomplete(ingress):
            self._tell(ingress, text, "Warning", "BadConfig", text)
        for certificate in wanted:
            await self._keep(ingress, certificate)
        await self._remove_others(ingress, {name_of(one) for one in wanted})
        return None

    def _default_issuer(self) -> str:
        marked = [
            name_of(one)
            for one in self._room.of(CLUSTER_ISSUERS).list()
            if annotations_of(one).get(names.DEFAULT_ISSUER) == "true"
        ]
        return min(marked, default=names.BUILT_IN)

    async def _keep(self, ingress: Obj, wanted: Obj) -> None:
        name, namespace = name_of(wanted), namespace_of(ingress)
        current = self._certificates.get(name, namespace)
        if current is None:
            await self._room.client.create(CERTIFICATES, wanted, namespace)
            text = f'Successfully created Certificate "{name}"'
            self._room.events.event(ingress, "Normal", "CreateCertificate", text)
            return
        if (controller_of(current) or {}).get("uid") != uid_of(ingress):
            text = f'Certificate "{name}" is not owned by this Ingress, and is left as it is'
            self._tell(ingress, name, "Warning", "BadConfig", text)
            return
        if current["spec"] != wanted["spec"] or labels_of(current) != labels_of(wanted):
            metadata = {**current["metadata"], "labels": labels_of(wanted)}
            changed = {**current, "metadata": metadata, "spec": wanted["spec"]}
            await self._room.client.update(CERTIFICATES, changed)
            text = f'Successfully updated Certificate "{name}"'
            self._room.events.event(ingress, "Normal", "UpdateCertificate", text)
            return
        if (news := report(self._progress(current))) is not None:
            self._tell(ingress, name, *news)

    def _progress(self, certificate: Obj) -> Progress:
        issuer = self._room.issuer(certificate["spec"]["issuerRef"], namespace_of(certificate))
        request = request_of(self._room.of(CERTIFICATE_REQUESTS), certificate, next_revision(certificate))
        orders = self._orders.by_index("owner", uid_of(request)) if request else ()
        return Progress(certificate, issuer, next(iter(orders), None))

    async def _remove_others(self, ingress: Obj, kept: set[str]) -> None:
        for certificate in self._certificates.list(namespace_of(ingress)):
            is_own = (controller_of(certificate) or {}).get("uid") == uid_of(ingress)
            if is_own and name_of(certificate) not in kept and not is_deleting(certificate):
                await self._room.client.delete(CERTIFICATES, name_of(certificate), namespace_of(certificate))
                text = f'Successfully deleted unrequired Certificate "{name_of(certificate)}"'
                self._room.events.event(ingress, "Normal", "DeleteCertificate", text)

    def _tell(self, ingress: Obj, about: str, *news: str) -> None:
        """An event, once as long as it stays the last one about a certificate."""
        told = self._told.setdefault(key_of(ingress), {})
        type_, reason, message = news
        if told.get(about) != message:
            told[about] = message
            self._room.events.event(ingress, "Normal" if type_ == "Normal" else "Warning", reason, message)


def _owner(obj: Obj) -> Iterable[str]:
    owner = controller_of(obj)
    return [str(owner["uid"])] if owner else []
