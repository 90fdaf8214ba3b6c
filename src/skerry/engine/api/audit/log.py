"""The wrapper that keeps the audit log: one event when a request has come in, one when it is over, one more between for
those that last. It stands behind authentication and before everything else, so that refusals are kept too.

At the level Metadata no body is looked at. A request's body is remembered as it is read, an answer's is taken from the
response. Neighbours: `policy` (what is kept), `event` (its form), `file` (where it goes). Source: Kubernetes'
`apiserver/pkg/endpoints/filters/audit.go`.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson

from skerry.engine.api.audit import event as events
from skerry.engine.api.audit.file import AuditFile
from skerry.engine.api.audit.policy import COMPLETE, PANIC, RECEIVED, STARTED, AuditPolicy, Level, Verdict
from skerry.engine.api.audit.reading import read_policy
from skerry.engine.api.auth.access import access_of
from skerry.engine.api.request import Handler, Request
from skerry.engine.api.response import Response, Streamed, Watching
from skerry.engine.config import EngineConfig
from skerry.kube.clock import Clock
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj


def audit_log_of(config: EngineConfig) -> AuditLog | None:
    """That of an instance; None without a policy. Raises PolicyError."""
    if config.audit_policy is None:
        return None
    return AuditLog(read_policy(config.audit_policy), AuditFile(config.paths.audit_log), config.clock)


def audited(handler: Handler, log: AuditLog | None) -> Handler:
    """Keep what the policy says of every request."""
    if log is None:
        return handler

    async def handle(request: Request) -> Response:
        trail = log.begin(request)
        return await handler(request) if trail is None else await trail.follow(request, handler)

    return handle


class AuditLog:
    """A policy and a file."""

    def __init__(self, policy: AuditPolicy, file: AuditFile, clock: Clock) -> None:
        self._policy = policy
        self.file = file
        self.clock = clock
        self.close = file.close
        self._random, self._count = str(uuid.uuid4())[:23], 0

    def begin(self, request: Request) -> Trail | None:
        """The trail of a request; None when nothing is kept of it."""
        access = access_of(request)
        verdict = self._policy.verdict(access)
        if verdict.level is Level.NONE:
            return None
        given = request.headers.get(b"audit-id")
        event: Obj = {
            "kind": "Event",
            "apiVersion": "audit.k8s.io/v1",
            "level": verdict.level.text,
            "auditID": given.decode("latin-1")[:64] if given else self._next_id(),
            "stage": RECEIVED,
            **events.beginning(request, access),
            "requestReceivedTimestamp": self.clock.now(),
        }
        return Trail(self, verdict, event)

    def _next_id(self) -> str:
        """Unique: a number within what is random for this log."""
        self._count += 1
        return f"{self._random}-{self._count:012x}"


class Trail:
    """One request's events."""

    def __init__(self, log: AuditLog, verdict: Verdict, event: Obj) -> None:
        self._log = log
        self._verdict = verdict
        self._event = event
        self._body: Any = None

    async def follow(self, request: Request, handler: Handler) -> Response:
        """Run the handler and keep what comes of it."""
        self._write(RECEIVED)
        if self._verdict.level >= Level.REQUEST:
            self._remember_body(request)
        try:
            response = await handler(request)
        except StatusError as error:
            self._finish(request, error)
            raise
        except Exception:
            self._conclude(request)
            self._event["responseStatus"] = {
                "metadata": {},
                "status": "Failure",
                "reason": "InternalError",
                "code": 500,
            }
            self._write(PANIC)
            raise
        if isinstance(response, Watching | Streamed):
            return self._lasting(request, response)
        self._finish(request, response)
        return response

    def _lasting(self, request: Request, response: Watching | Streamed) -> Response:
        """A watch or a log is over when its stream is."""
        self._conclude(request)
        self._event["responseStatus"] = events.status_of(response)
        self._write(STARTED)
        if isinstance(response, Watching):
            return replace(response, over=self._complete)
        return replace(response, chunks=_until_the_end(response.chunks, self._complete))

    def _complete(self) -> None:
        self._write(COMPLETE)

    def _finish(self, request: Request, outcome: Response | StatusError) -> None:
        self._conclude(request)
        self._event["responseStatus"] = events.status_of(outcome)
        reference, entry = self._event.get("objectRef"), getattr(outcome, "entry", None)
        if reference is not None and entry is not None and not reference.get("name"):
            reference["name"] = entry.key.name
        if self._verdict.level >= Level.RESPONSE:
            body = events.body_of(outcome, without_managed_fields=self._verdict.omit_managed_fields)
            if body is not None:
                self._event["responseObject"] = body
        self._write(COMPLETE)

    def _conclude(self, request: Request) -> None:
        """What is known once the request has been decided on."""
        self._event |= events.impersonation(request)
        if request.annotations:
            self._event["annotations"] = request.annotations
        if self._verdict.level >= Level.REQUEST and self._body:
            body = self._body
            if isinstance(body, bytes):
                body = events.readable(body, request.content_type)
            if self._verdict.omit_managed_fields:
                body = events.stripped(body)
            self._event["requestObject"] = body

    def _remember_body(self, request: Request) -> None:
        self._body = request.handed
        read: Callable[[], Awaitable[bytes]] | None = request.read
        if read is None or request.target is None:
            return

        async def remembering() -> bytes:
            self._body = await read()
            return bytes(self._body)

        request.read = remembering

    def _write(self, stage: str) -> None:
        if stage not in self._verdict.omitted:
            self._event["stage"] = stage
            self._event["stageTimestamp"] = self._log.clock.now()
            self._log.file.add(orjson.dumps(self._event, option=orjson.OPT_UTC_Z))


async def _until_the_end(chunks: AsyncIterator[bytes], over: Callable[[], None]) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
        over()
