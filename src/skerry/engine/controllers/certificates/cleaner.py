"""Removes CertificateSigningRequests that are settled or forgotten.

Source: Kubernetes' `pkg/controller/certificates/cleaner`. Each request has its own appointment; nothing polls.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from skerry.engine.controllers.context import Context
from skerry.kube.clock import parse_time
from skerry.kube.conditions import condition_of
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, uid_of
from skerry.kube.resources import SIGNING_REQUESTS

SETTLED, PENDING = timedelta(hours=1), timedelta(hours=24)


class SigningRequestCleaner(Controller):
    """Keys are names of requests."""

    name = "csrcleaner"
    workers = 1

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._clock = context.clock
        self._requests = context.informers.of(SIGNING_REQUESTS)
        self.watch(self._requests)

    async def reconcile(self, key: str) -> float | None:
        """Remove it when it is due, or come back then."""
        request = self._requests.get(key)
        if request is None:
            return None
        left = (removal_of(request) - self._clock.now()).total_seconds()
        if left > 0:
            return left
        try:
            await self._client.delete(SIGNING_REQUESTS, key, None, {"preconditions": {"uid": uid_of(request)}})
        except NotFound:
            return None
        return None


def removal_of(request: Obj) -> datetime:
    """When nobody needs it any more."""
    issued = bool((request.get("status") or {}).get("certificate"))
    moments = []
    for kind in ("Approved", "Denied", "Failed"):
        condition = condition_of(request, kind)
        if condition is not None and condition["status"] == "True":
            settled = kind != "Approved" or issued
            moments.append(_updated(condition, request) + (SETTLED if settled else PENDING))
    return min(moments, default=parse_time(request["metadata"]["creationTimestamp"]) + PENDING)


def _updated(condition: Obj, request: Obj) -> datetime:
    return parse_time(condition.get("lastUpdateTime") or request["metadata"]["creationTimestamp"])
