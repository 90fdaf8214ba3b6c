"""Signs approved CertificateSigningRequests of the built-in signers with the instance's certificate authority.

Source: Kubernetes' `pkg/controller/certificates/signer`. The authority is read for each signature, and `cryptography`
imported at the first: most clusters never sign anything.
"""

from __future__ import annotations

import base64
from datetime import timedelta

from skerry.engine.certificates.signers import BUILT_IN, objection
from skerry.engine.controllers.context import Context
from skerry.kube.clock import rfc3339
from skerry.kube.conditions import condition_is_true
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import SIGNING_REQUESTS

LONGEST, SHORTEST = timedelta(days=365), timedelta(minutes=10)


class CertificateSigner(Controller):
    """Keys are names of requests."""

    name = "csrsigning"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._pki = context.config.paths.pki
        self._requests = context.informers.of(SIGNING_REQUESTS)
        self.watch(self._requests)

    async def reconcile(self, key: str) -> float | None:
        """Sign, or say why not."""
        request = self._requests.get(key)
        if request is None or not is_waiting(request):
            return None
        status = {**(request.get("status") or {}), **self._answer(request)}
        try:
            await self._client.update(SIGNING_REQUESTS, {**request, "status": status}, "status")
        except NotFound:
            return None
        return None

    def _answer(self, request: Obj) -> Obj:
        """What is added to the status: the certificate, or a condition."""
        from skerry.engine.certificates.requests import Terms, issue, read_request

        spec = request["spec"]
        parsed = read_request(spec["request"])
        if refused := objection(spec["signerName"], parsed, spec["usages"]):
            return {"conditions": [*request["status"]["conditions"], self._failed(refused)]}
        authority = (self._pki / "ca.crt").read_bytes(), (self._pki / "ca.key").read_bytes()
        terms = Terms(spec["usages"], lifetime_of(spec), self._clock.now(), authority)
        return {"certificate": base64.b64encode(issue(parsed, terms)).decode()}

    def _failed(self, why: str) -> Obj:
        now = rfc3339(self._clock.now())
        times = {"lastUpdateTime": now, "lastTransitionTime": now}
        return {"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": why, **times}


def is_waiting(request: Obj) -> bool:
    """Approved, for a signer of ours, and neither signed nor failed."""
    if request["spec"].get("signerName") not in BUILT_IN or (request.get("status") or {}).get("certificate"):
        return False
    settled = any(condition_is_true(request, kind) for kind in ("Denied", "Failed"))
    return condition_is_true(request, "Approved") and not settled


def lifetime_of(spec: Obj) -> timedelta:
    """What is asked for, within bounds."""
    seconds = spec.get("expirationSeconds")
    return LONGEST if seconds is None else max(SHORTEST, min(LONGEST, timedelta(seconds=seconds)))
