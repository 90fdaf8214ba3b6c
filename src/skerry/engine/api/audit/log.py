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
from skerry.engine.api.audit.event import Beginning, Origin, beginning_of
from skerry.engine.api.audit.file import AuditFile
from skerry.engine.api.audit.policy import COMPLETE, LEVELS, PANIC, RECEIVED, STARTED, AuditPolicy, Level, Verdict
from skerry.engine.api.audit.reading import read_policy
from skerry.engine.api.auth.access import Access, access_of
from skerry.engine.api.request import Handler, Request
from skerry.engine.api.response import Response, Stored, Streamed, Watching
from skerry.engine.config import EngineConfig
from skerry.kube.clock import Clock
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj

_NOTHING, _WITH_BODIES, _WITH_ANSWERS = Level.NONE, Level.REQUEST, Level.RESPONSE
"""Looked up once: an enumeration's members are looked up by functions in Python."""
_LASTING = (Watching, Streamed)
_TIMES = orjson.OPT_UTC_Z
_REMEMBERED, _LONGEST_ORIGIN = 1024, 1024
"""How many beginnings, and up to which length of the headers in them."""


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
        if trail is None:
            return await handler(request)
        try:
            response = await handler(request)
        except StatusError as error:
            trail.finish(error)
            raise
        except Exception:
            trail.panic()
            raise
        return trail.answered(response)

    return handle


class AuditLog:
    """A policy and a file."""

    def __init__(self, policy: AuditPolicy, file: AuditFile, clock: Clock) -> None:
        self._policy = policy
        self.file = file
        self.clock = clock
        self.close = file.close
        self._random, self._count = str(uuid.uuid4())[:23], 0
        self._known: dict[tuple[Access, Origin], tuple[Verdict, Beginning]] = {}

    def begin(self, request: Request) -> Trail | None:
        """The trail of a request; None when nothing is kept of it."""
        headers = request.headers
        origin = (request.source, headers.get(b"user-agent"), headers.get(b"x-forwarded-for"))
        about = (access_of(request), origin)
        verdict, beginning = self._known.get(about) or self._learn(*about)
        if verdict.level is _NOTHING:
            return None
        given = headers.get(b"audit-id")
        trail = Trail(self, verdict, beginning, request, given.decode("latin-1")[:64] if given else self._next_id())
        if RECEIVED not in verdict.omitted:
            trail.write(RECEIVED)
        if verdict.level >= _WITH_BODIES:
            trail.remember_body()
        return trail

    def _learn(self, access: Access, origin: Origin) -> tuple[Verdict, Beginning]:
        """The verdict on requests alike, and how their events begin. Remembered for some: many repeat one another."""
        verdict = self._policy.verdict(access)
        beginning = beginning_of(access, origin, LEVELS[verdict.level])
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        if access.ordinary and sum(len(each or "") for each in origin) <= _LONGEST_ORIGIN:
            self._known[access, origin] = verdict, beginning
        return verdict, beginning

    def _next_id(self) -> str:
        """Unique: a number within what is random for this log."""
        self._count += 1
        return f"{self._random}-{self._count:012x}"


class Trail:
    """One request's events."""

    __slots__ = ("_beginning", "_body", "_event", "_log", "_request", "_verdict")

    def __init__(self, log: AuditLog, verdict: Verdict, beginning: Beginning, request: Request, audit_id: str) -> None:
        self._log = log
        self._verdict = verdict
        self._beginning = beginning
        self._request = request
        self._body: Any = None
        self._event: Obj = {
            "auditID": audit_id,
            "requestURI": events.uri_of(request),
            "requestReceivedTimestamp": log.clock.now(),
        }
        if beginning.unnamed is not None:
            self._event["objectRef"] = beginning.unnamed

    def answered(self, response: Response) -> Response:
        """Keep what came of it. A watch or a log is over when its stream is: the response given back says so."""
        if not isinstance(response, _LASTING):
            self.finish(response)
            return response
        self._conclude(response)
        self.write(STARTED)
        if isinstance(response, Watching):
            return replace(response, over=self._complete)
        return replace(response, chunks=_until_the_end(response.chunks, self._complete))

    def finish(self, outcome: Response | StatusError) -> None:
        """The request is over."""
        self._conclude(outcome)
        unnamed = self._beginning.unnamed
        if unnamed is not None and isinstance(outcome, Stored):
            self._event["objectRef"] = {**unnamed, "name": outcome.entry.key.name}
        if self._verdict.level >= _WITH_ANSWERS:
            body = events.body_of(outcome, without_managed_fields=self._verdict.omit_managed_fields)
            if body is not None:
                self._event["responseObject"] = body
        self.write(COMPLETE)

    def panic(self) -> None:
        """The request ended in a way that nobody foresaw."""
        self._conclude(None)
        self.write(PANIC)

    def remember_body(self) -> None:
        """Keep the request's body when it is read."""
        request = self._request
        self._body = request.handed
        read: Callable[[], Awaitable[bytes]] | None = request.read
        if read is None or request.target is None:
            return

        async def remembering() -> bytes:
            self._body = await read()
            return bytes(self._body)

        request.read = remembering

    def write(self, stage: str) -> None:
        """Keep the event as it is now, unless its stage is not wanted."""
        if stage not in self._verdict.omitted:
            event, log = self._event, self._log
            event["stage"] = stage
            event["stageTimestamp"] = log.clock.now()
            log.file.add(self._beginning.encoded + orjson.dumps(event, None, _TIMES)[1:])

    def _complete(self) -> None:
        self.write(COMPLETE)

    def _conclude(self, outcome: Response | StatusError | None) -> None:
        """What is known once the request has been decided on."""
        event, request = self._event, self._request
        event["responseStatus"] = events.status_of(outcome)
        if request.annotations:
            event["annotations"] = request.annotations
        if request.impersonation is not None:
            event |= events.impersonation(request.impersonation, request.who)
        if self._body:
            body = self._body
            if isinstance(body, bytes):
                body = events.readable(body, request.content_type)
            if self._verdict.omit_managed_fields:
                body = events.stripped(body)
            event["requestObject"] = body


async def _until_the_end(chunks: AsyncIterator[bytes], over: Callable[[], None]) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
        over()
