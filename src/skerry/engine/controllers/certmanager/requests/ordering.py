"""A CertificateRequest of an ACME issuer becomes an Order, and is answered with its certificate.

Source of the behaviour: cert-manager's `pkg/controller/certificaterequests/acme`.
"""

from __future__ import annotations

import contextlib
from typing import Any

from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.requests.answers import Pending
from skerry.engine.controllers.certmanager.room import Room, decoded
from skerry.engine.definitions.acme import ORDERS
from skerry.engine.definitions.certmanager import CERTIFICATE_REQUESTS
from skerry.kube.errors import AlreadyExists
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, namespace_of, owner_reference, uid_of

_LOST = ("invalid", "expired", "errored")
_NOT_AT_ACME = ("uris", "emailAddresses")


class Failed(Exception):
    """The order came to nothing. `annotations`: what the request is to remember of that."""

    def __init__(self, message: str, annotations: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.annotations = annotations or {}


async def ordered(room: Room, request: Obj) -> dict[str, str]:
    """The certificate, PEM. Raises Pending until it is there, Failed, Refused."""
    name, namespace = f"{name_of(request)[:240]}-{uid_of(request)[:8]}", namespace_of(request)
    order = room.of(ORDERS).get(name, namespace)
    if order is None:
        asked = await room.helper.call("read_request", request=decoded(request["spec"]["request"]))
        with contextlib.suppress(AlreadyExists):
            await room.client.create(ORDERS, new_order(request, name, asked), namespace)
            room.events.event(request, "Normal", "OrderCreated", f"Created Order resource {namespace}/{name}")
        raise Pending(f'Created Order resource "{name}"')
    status = order.get("status") or {}
    state = status.get("state", "pending")
    if state in _LOST:
        again = {names.NOT_BEFORE: status["retryAfter"]} if status.get("retryAfter") else {}
        why = f'order is in "{state}" state: {status.get("reason", "")}'
        raise Failed(f'Failed to wait for order resource "{name}" to become ready: {why}', again)
    if state != "valid" or not status.get("certificate"):
        why = f": {status['reason']}" if status.get("reason") else ""
        raise Pending(f'Waiting on certificate issuance from order {namespace}/{name}: "{state}"{why}')
    return {"certificate": decoded(status["certificate"])}


def new_order(request: Obj, name: str, asked: dict[str, Any]) -> Obj:
    """The Order. Raises Failed for names that no ACME server certifies."""
    for field in _NOT_AT_ACME:
        if asked[field]:
            raise Failed(f"The CSR PEM requests {field}, which ACME does not support")
    if request["spec"].get("isCA"):
        raise Failed("Error creating new order: ACME does not support CA certificates")
    common = asked["commonName"]
    if common and common not in (*asked["dnsNames"], *asked["ipAddresses"]):
        raise Failed(f'The CSR PEM requests a commonName that is not present in the list of dnsNames: "{common}"')
    copied = {key: value for key, value in annotations_of(request).items() if key != names.ASKS_FOR}
    metadata = {
        "name": name,
        "namespace": namespace_of(request),
        "annotations": copied,
        "labels": dict(labels_of(request)),
        "ownerReferences": [owner_reference(request, CERTIFICATE_REQUESTS)],
    }
    fields = {field: asked[field] for field in ("commonName", "dnsNames", "ipAddresses") if asked[field]}
    spec = {"request": request["spec"]["request"], "issuerRef": request["spec"]["issuerRef"], **fields}
    return {"metadata": metadata, "spec": spec}
