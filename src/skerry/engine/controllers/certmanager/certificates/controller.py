"""Keeps the Secret of every Certificate: issued, when it must be, through a CertificateRequest of a revision.

One reconcile looks at the Secret, asks `triggers` whether something must be issued, and takes `issuance` a step on.
What lasts stands in the status (revision, failures, the condition Issuing), so that a restart changes nothing.
Source of the behaviour: cert-manager's `pkg/controller/certificates` (trigger, keymanager, requestmanager, issuing,
readiness in one).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from skerry.engine.certificates.helper.errors import Refused
from skerry.engine.controllers.certmanager import names
from skerry.engine.controllers.certmanager.certificates import issuance
from skerry.engine.controllers.certmanager.certificates.schedule import back_off, renewal_time, sleep
from skerry.engine.controllers.certmanager.certificates.secret import is_complete, secret_for
from skerry.engine.controllers.certmanager.certificates.triggers import Held, Reason, fits, why_issue, why_not_ready
from skerry.engine.controllers.certmanager.certificates.wanted import Unusable, Wanted, wanted
from skerry.engine.controllers.certmanager.room import Room, text_of
from skerry.engine.controllers.writing import write_status
from skerry.engine.definitions.certmanager import CERTIFICATE_REQUESTS, CERTIFICATES
from skerry.kube.clock import parse_time, rfc3339
from skerry.kube.conditions import condition_is_true, conditions_of, with_condition
from skerry.kube.controller import Controller
from skerry.kube.objects import Obj, annotations_of, is_deleting, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import SECRETS


class CertificateController(Controller):
    """Keys are those of Certificates."""

    name = "certificates"

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room
        self._certificates = room.of(CERTIFICATES)
        self._requests = room.of(CERTIFICATE_REQUESTS)
        self._secrets = room.metadata_of(SECRETS)
        self._certificates.add_index("secret", _secret_of)
        self._requests.add_index("certificate", _certificate_of)
        self._read: dict[str, Held] = {}
        self.watch(self._certificates, self._sharing)
        self.watch(self._requests, _certificate_of)
        self.watch(self._secrets, lambda secret: map(key_of, self._certificates.by_index("secret", key_of(secret))))
        self.watch(room.definitions, self._all)

    def _sharing(self, certificate: Obj) -> Iterable[str]:
        """Itself, and those with the same Secret: it may become theirs."""
        yield key_of(certificate)
        for secret in _secret_of(certificate):
            yield from map(key_of, self._certificates.by_index("secret", secret))

    def _all(self, definition: Obj) -> Iterable[str]:
        return map(key_of, self._certificates.list()) if name_of(definition) == CERTIFICATES.group_resource else ()

    async def reconcile(self, key: str) -> float | None:
        """A step towards a Secret that is as it should be, and the conditions that say where we are."""
        namespace, name = split_key(key)
        certificate = self._certificates.get(name, namespace)
        if certificate is None:
            self._read.pop(key, None)
            return None
        if is_deleting(certificate) or not self._room.acts_on(CERTIFICATES):
            return None
        try:
            asked = wanted(certificate)
            self._check_owner(certificate)
        except Unusable as error:
            await self._tell(certificate, Reason(error.reason, str(error)))
            return None
        held = await self._held(certificate)
        if self._is_settled(certificate, asked, held):
            return await self._keep(certificate, asked, held)
        # Something is to be issued: caches may not show yet that it has been.
        fresh = await self._room.client.get(CERTIFICATES, name, namespace)
        return await self._keep(fresh, asked, await self._held(fresh, is_fresh=True))

    def _is_settled(self, certificate: Obj, asked: Wanted, held: Held | None) -> bool:
        request = self._current_request(certificate)
        reason = why_issue(name_of(certificate), asked, held, request, self._room.clock.now())
        return reason is None and not condition_is_true(certificate, "Issuing")

    async def _keep(self, certificate: Obj, asked: Wanted, held: Held | None) -> float | None:
        now = self._room.clock.now()
        request = self._current_request(certificate)
        name = name_of(certificate)
        not_ready = why_not_ready(name, asked, held, request, now)
        if condition_is_true(certificate, "Issuing"):
            if not await self._tell(certificate, not_ready, held, asked):
                return await issuance.step(self._room, certificate, asked, held)
            return None  # the change calls again
        reason = why_issue(name, asked, held, request, now)
        if reason is None:
            await self._settled(certificate, asked, held)
            return sleep(now, renewal_time(held.begins, held.ends, asked) if held else None)
        again = self._next_attempt(certificate, asked)
        if again is not None and again > now:
            await self._tell(certificate, not_ready, held, asked)
            return sleep(now, again, held.ends if held and held.ends > now else None)
        issuing = {"type": "Issuing", "status": "True", "reason": reason.reason, "message": reason.message}
        await self._tell(certificate, not_ready, held, asked, issuing)
        self._room.events.event(certificate, "Normal", "Issuing", reason.message)
        return None

    def _current_request(self, certificate: Obj) -> Obj | None:
        """That of the revision whose certificate is in the Secret."""
        revision = (certificate.get("status") or {}).get("revision")
        return issuance.request_of(self._requests, certificate, revision) if revision else None

    def _next_attempt(self, certificate: Obj, asked: Wanted) -> datetime | None:
        """When to try again after a failure, None for at once: what is wanted now is not what failed."""
        status = certificate.get("status") or {}
        if not status.get("lastFailureTime"):
            return None
        failed = issuance.request_of(self._requests, certificate, int(status.get("revision") or 0) + 1)
        if failed is not None and not fits(asked, failed):
            return None
        again = parse_time(status["lastFailureTime"]) + back_off(int(status.get("failedIssuanceAttempts") or 1))
        told = annotations_of(failed).get(names.NOT_BEFORE) if failed else None
        return max(again, parse_time(told)) if told else again

    async def _settled(self, certificate: Obj, asked: Wanted, held: Held | None) -> None:
        assert held is not None
        if not is_complete(certificate, held.secret):
            pair = {"certificate": text_of(held.secret, "tls.crt"), "key": text_of(held.secret, "tls.key")}
            await self._room.client.update(SECRETS, secret_for(certificate, pair, held.facts, held.secret))
        await self._tell(certificate, None, held, asked)

    async def _tell(
        self,
        certificate: Obj,
        not_ready: Reason | None,
        held: Held | None = None,
        asked: Wanted | None = None,
        issuing: Obj | None = None,
    ) -> bool:
        """The status: Ready, the times, and what else is given. Whether that was news."""
        status = ready_status(certificate, not_ready, held, asked, self._room.clock.now())
        if issuing is not None:
            status = {**status, "conditions": with_condition(status["conditions"], issuing, self._room.clock.now())}
        return await write_status(self._room.client, CERTIFICATES, certificate, status) is not certificate

    def _check_owner(self, certificate: Obj) -> None:
        """Of several Certificates with one Secret the one it was issued for has it, or the oldest. Raises Unusable."""
        key = f"{namespace_of(certificate)}/{certificate['spec']['secretName']}"
        rivals = [one for one in self._certificates.by_index("secret", key) if not is_deleting(one)]
        if len(rivals) < 2:
            return
        secret = self._secrets.get(certificate["spec"]["secretName"], namespace_of(certificate))
        noted = annotations_of(secret).get(names.CERTIFICATE_NAME) if secret else None
        oldest = min(rivals, key=lambda one: (one["metadata"]["creationTimestamp"], name_of(one)))
        owner = next((name_of(one) for one in rivals if name_of(one) == noted), name_of(oldest))
        if owner != name_of(certificate):
            raise Unusable(
                f'Secret "{certificate["spec"]["secretName"]}" belongs to the Certificate "{owner}": give this one a '
                "secretName of its own",
                "DuplicateSecretName",
            )

    async def _held(self, certificate: Obj, *, is_fresh: bool = False) -> Held | None:
        """What the Secret holds; read once for each of its states."""
        key, name, namespace = key_of(certificate), certificate["spec"]["secretName"], namespace_of(certificate)
        known, before = self._secrets.get(name, namespace), self._read.get(key)
        if not is_fresh and known is not None and before is not None and _state(before.secret) == _state(known):
            return before
        secret = await self._room.secret(namespace, name)
        if secret is None:
            return None
        if before is None or _state(before.secret) != _state(secret):
            self._read[key] = await read(self._room, secret)
        return self._read[key]


async def read(room: Room, secret: Obj) -> Held:
    """What is in a Secret. Raises HelperError."""
    facts: dict[str, Any] = {}
    broken = ""
    certificate, key = text_of(secret, "tls.crt"), text_of(secret, "tls.key")
    if certificate and key:
        try:
            facts = await room.helper.call("read_pair", certificate=certificate, key=key)
        except Refused as error:
            broken = str(error)
    begins, ends = (datetime.fromtimestamp(facts.get(end, 0), UTC) for end in ("notBefore", "notAfter"))
    return Held(secret, facts, broken, begins, ends)


def ready_status(
    certificate: Obj, not_ready: Reason | None, held: Held | None, asked: Wanted | None, now: datetime
) -> Obj:
    """The status with the condition Ready and the times of what is held."""
    status = dict(certificate.get("status") or {})
    reason = not_ready or Reason("Ready", "Certificate is up to date and has not expired")
    condition = {"type": "Ready", "status": "False" if not_ready else "True", **reason._asdict()}
    generation = certificate["metadata"].get("generation")
    condition |= {"observedGeneration": generation} if generation else {}
    status["conditions"] = with_condition(conditions_of(certificate), condition, now)
    for field in ("notBefore", "notAfter", "renewalTime"):
        status.pop(field, None)
    if held is not None and held.facts and asked is not None:
        renewal = renewal_time(held.begins, held.ends, asked)
        times = {"notBefore": held.begins, "notAfter": held.ends, "renewalTime": renewal}
        status |= {field: rfc3339(moment) for field, moment in times.items()}
    return status


def _state(secret: Obj) -> tuple[str, str]:
    return uid_of(secret), str(secret["metadata"].get("resourceVersion"))


def _secret_of(certificate: Obj) -> Iterable[str]:
    yield f"{namespace_of(certificate)}/{certificate['spec']['secretName']}"


def _certificate_of(request: Obj) -> Iterable[str]:
    if name := annotations_of(request).get(names.CERTIFICATE_NAME):
        yield f"{namespace_of(request)}/{name}"
