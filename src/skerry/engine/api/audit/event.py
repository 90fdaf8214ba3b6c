"""An audit event as it is written. Source: Kubernetes' `audit.k8s.io/v1` Event and `apiserver/pkg/audit/request.go`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlencode

import orjson

from skerry.engine.api.auth.access import Access
from skerry.engine.api.bodies import PROTOBUF
from skerry.engine.api.request import Impersonation, Request, User
from skerry.engine.api.response import Computed, Listing, Response, Stored
from skerry.engine.schema import codec
from skerry.kube.errors import StatusError
from skerry.kube.objects import Obj

_LONGEST_AGENT = 1024

Origin: TypeAlias = tuple[str, bytes | None, bytes | None]
"""Where a request came from: the address, and the headers User-Agent and X-Forwarded-For."""


class Beginning(NamedTuple):
    """What all events of requests alike have in common, encoded: a JSON object that goes on. `unnamed`: its objectRef
    where that is not part of it, because the object is about to get its name."""

    encoded: bytes
    unnamed: Obj | None


def beginning_of(access: Access, origin: Origin, level: str) -> Beginning:
    """That of an access."""
    event: Obj = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": level,
        "verb": access.verb,
        "user": access.user.info(),
    }
    source, agent, forwarded = origin
    if sources := _sources(source, forwarded):
        event["sourceIPs"] = sources
    if agent:
        text = agent.decode("latin-1")
        event["userAgent"] = text if len(text) <= _LONGEST_AGENT else f"{text[:_LONGEST_AGENT]}...TRUNCATED"
    unnamed = None
    if not access.path:
        reference = _reference(access)
        if access.verb == "create" and not access.name:
            unnamed = reference
        else:
            event["objectRef"] = reference
    return Beginning(orjson.dumps(event)[:-1] + b",", unnamed)


def _sources(source: str, forwarded: bytes | None) -> list[str]:
    """Where a request came from, the client first."""
    sources = [source] if source else []
    if not forwarded:
        return sources
    before = [one.strip() for one in forwarded.decode("latin-1").split(",")]
    return before if before[-1:] == sources else before + sources


def uri_of(request: Request) -> str:
    """The URI; for a request from the same process the one it would have had."""
    if request.path or request.target is None:
        query = request.raw_query.decode("latin-1")
        return f"{request.path}?{query}" if query else request.path
    target = request.target
    parts = [target.kind.resource.path(target.namespace or None), target.name, target.subresource]
    path = "/".join(part for part in parts if part)
    return f"{path}?{urlencode(request.query)}" if request.query else path


def _reference(access: Access) -> Obj:
    reference = {"resource": access.resource, "apiVersion": access.version}
    if access.namespace:
        reference["namespace"] = access.namespace
    if access.name:
        reference["name"] = access.name
    if access.group:
        reference["apiGroup"] = access.group
    if access.subresource:
        reference["subresource"] = access.subresource
    return reference


def impersonation(by: Impersonation, acting: User) -> Obj:
    """Who the requestor acts as."""
    more: Obj = {"impersonatedUser": acting.info()}
    if by.constraint:
        more["authenticationMetadata"] = {"impersonationConstraint": by.constraint}
    return more


def status_of(outcome: Response | StatusError | None) -> Any:
    """The `responseStatus`. None: the request ended in a way that nobody foresaw."""
    if isinstance(outcome, StatusError):
        status = outcome.to_json()
        return {"metadata": {}, **{key: status[key] for key in ("status", "message", "reason", "code")}}
    if outcome is None:
        return {"metadata": {}, "status": "Failure", "reason": "InternalError", "code": 500}
    return _status(getattr(outcome, "code", 200))


@lru_cache(256)
def _status(code: int) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps({"metadata": {}, "code": code}))


def body_of(outcome: Response | StatusError, *, without_managed_fields: bool) -> Any:
    """The object of an answer, None when it is none."""
    if isinstance(outcome, StatusError):
        return outcome.to_json()
    if isinstance(outcome, Stored):
        return _object(outcome.entry.value, without_managed_fields=without_managed_fields)
    if isinstance(outcome, Computed):
        return stripped(outcome.obj) if without_managed_fields else outcome.obj
    if isinstance(outcome, Listing):
        resource, without = outcome.kind.resource, without_managed_fields
        items = [_object(entry.value, without_managed_fields=without) for entry in outcome.entries]
        metadata = {"resourceVersion": str(outcome.revision)}
        kind = f"{resource.kind}List"
        return {"kind": kind, "apiVersion": resource.api_version, "metadata": metadata, "items": items}
    return None


def _object(encoded: bytes, *, without_managed_fields: bool) -> Any:
    return stripped(orjson.loads(encoded)) if without_managed_fields else orjson.Fragment(encoded)


def stripped(obj: Any) -> Any:
    """An object without its managedFields; the one given stays as it is."""
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def readable(body: bytes, content_type: str) -> Any:
    """A request's body as JSON, as far as it can be read: YAML and protobuf are decoded, the rest is text."""
    given = codec.media_type(content_type)
    try:
        if given == PROTOBUF:
            from skerry.engine.api.protobuf.decode import decode  # its table is read when a client sends protobuf

            return decode(body)
        return codec.parse(body, f"application/{'yaml' if given.endswith('yaml') else 'json'}")[0]
    except StatusError:
        return body.decode("utf-8", "replace")
