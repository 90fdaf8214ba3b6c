"""Answers CertificateRequests whose issuer is ours: approves them, and has them signed or ordered.

Every request is approved, as by cert-manager's own approver; one that somebody denied first is not issued. Requests
for other groups of issuers are left to whoever serves these. Source of the conditions: cert-manager's
`pkg/controller/certificaterequests` and `pkg/apis/certmanager/v1/types_certificaterequest.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.requests.answers import Pending, answer
from skerry.engine.controllers.certmanager.requests.ordering import Failed, ordered
from skerry.engine.controllers.certmanager.room import Room, encoded, issuer_group, issuer_kind
from skerry.engine.controllers.writing import write_status
from skerry.engine.definitions.acme import ORDERS
from skerry.engine.definitions.certmanager import CERTIFICATE_REQUESTS, CLUSTER_ISSUERS, ISSUERS
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true, condition_of, conditions_of, with_condition
from skerry.kube.controller import Controller
from skerry.kube.events import EventType
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, namespace_of, split_key
from skerry.kube.resources import SECRETS

_FINAL = ("Failed", "Denied", "Issued")
_WAIT = 30.0  # seconds; Secrets of ClusterIssuers are elsewhere


class RequestController(Controller):
    """Keys are those of CertificateRequests."""

    name = "certificaterequests"

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self._requests = room.of(CERTIFICATE_REQUESTS)
        self.watch(self._requests)
        self.watch_owned(room.of(ORDERS), CERTIFICATE_REQUESTS)
        for resource in (ISSUERS, CLUSTER_ISSUERS):
            self.watch(room.of(resource), self._waiting)
        self.watch(room.metadata_of(SECRETS), self._waiting_beside)
        self.watch(room.definitions, self._all)

    def _waiting(self, issuer: Obj) -> Iterable[str]:
        """Requests that name an issuer and are not settled."""
        for request in self._requests.list(issuer["metadata"].get("namespace")):
            reference = request["spec"]["issuerRef"]
            if reference["name"] == name_of(issuer) and not is_settled(request):
                yield key_of(request)

    def _waiting_beside(self, secret: Obj) -> Iterable[str]:
        return (key_of(one) for one in self._requests.list(namespace_of(secret)) if not is_settled(one))

    def _all(self, definition: Obj) -> Iterable[str]:
        ours = name_of(definition) == CERTIFICATE_REQUESTS.group_resource
        return map(key_of, self._requests.list()) if ours else ()

    async def reconcile(self, key: str) -> float | None:
        """A step, unless it is settled or somebody else's."""
        request = _found(self._requests, key)
        if request is None or is_deleting(request) or not self._room.acts_on(CERTIFICATE_REQUESTS):
            return None
        if issuer_group(request["spec"]["issuerRef"]) != names.GROUP or is_settled(request):
            return None
        if condition_is_true(request, "Denied"):
            await self._tell(request, "Denied", "The CertificateRequest was denied by an approval controller")
        elif not condition_is_true(request, "Approved"):
            await self._approve(request)
        else:
            return await self._issue(request)
        return None

    async def _approve(self, request: Obj) -> None:
        message = "Certificate request has been approved by cert-manager.io"
        condition = {"type": "Approved", "status": "True", "reason": names.GROUP, "message": message}
        conditions = with_condition(conditions_of(request), condition, self._room.clock.now())
        status = {**(request.get("status") or {}), "conditions": conditions}
        await write_status(self._room.client, CERTIFICATE_REQUESTS, request, status)
        self._room.events.event(request, "Normal", names.GROUP, message)

    async def _issue(self, request: Obj) -> float | None:
        try:
            given = await self._answer(request)
        except Pending as waits:
            await self._tell(request, "Pending", str(waits))
            return _WAIT
        except Failed as failed:
            await self._tell(request, "Failed", str(failed), annotations=failed.annotations)
        except (Refused, ValueError) as refused:
            await self._tell(request, "Failed", f"Error signing certificate: {refused}")
        else:
            more = {field: encoded(text) for field, text in given.items() if text}
            await self._tell(request, "Issued", "Certificate fetched from issuer successfully", more)
        return None

    async def _answer(self, request: Obj) -> dict[str, str]:
        reference = request["spec"]["issuerRef"]
        issuer = self._room.issuer(reference, namespace_of(request))
        if issuer is None:
            kind, name = issuer_kind(reference), reference["name"]
            raise Pending(f'Referenced "{kind}" not found: {kind.lower()} "{name}" not found')
        if not condition_is_true(issuer, "Ready"):
            raise Pending("Referenced issuer does not have a Ready status condition")
        if "acme" in issuer["spec"]:
            return await ordered(self._room, request)
        return await answer(self._room, request, issuer)

    async def _tell(
        self,
        request: Obj,
        reason: str,
        message: str,
        more: Obj | None = None,
        annotations: dict[str, str] | None = None,
    ) -> None:
        """The condition Ready; of a failure also when it was."""
        now = self._room.clock.now()
        if annotations:
            patch = {"metadata": {"annotations": annotations}}
            where = name_of(request), patch, namespace_of(request)
            request = await self._room.client.patch(CERTIFICATE_REQUESTS, *where)
        status: dict[str, Any] = {**(request.get("status") or {}), **(more or {})}
        is_ready = "True" if reason == "Issued" else "False"
        condition = {"type": "Ready", "status": is_ready, "reason": reason, "message": message}
        status["conditions"] = with_condition(conditions_of(request), condition, now)
        if reason in ("Failed", "Denied"):
            status["failureTime"] = rfc3339(now)
        before = condition_of(request, "Ready") or {}
        await write_status(self._room.client, CERTIFICATE_REQUESTS, request, status)
        if (before.get("reason"), before.get("message")) != (reason, message):
            word = "CertificateIssued" if reason == "Issued" else reason
            kind: EventType = "Warning" if reason in ("Failed", "Denied") else "Normal"
            self._room.events.event(request, kind, word, message)


def is_settled(request: Obj) -> bool:
    """Whether nothing more will happen to it."""
    return (condition_of(request, "Ready") or {}).get("reason") in _FINAL


def _found(cache: Informer, key: str) -> Obj | None:
    namespace, name = split_key(key)
    return cache.get(name, namespace)
