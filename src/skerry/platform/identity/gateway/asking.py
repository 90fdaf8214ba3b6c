"""Reads a request at the gateway: its token, where it leads, and the headers that may go on to the API. Pure.

Invariant: nothing that the API server would take for an identity passes, in any spelling; who asks is settled by
`identity_of` alone. Headers of the client's connection stay behind too, `Connection` above all, by which a client could
have one of ours dropped on the way.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from skerry.kube.errors import Forbidden, NotFound
from skerry.kube.records import record
from skerry.platform.identity.sessions.judging import Person

PREFIX = "/k8s"
"""Below it is the API, path by path."""
RawHeaders = Iterable[tuple[bytes, bytes]]
_BEARER_PROTOCOL = "base64url.bearer.authorization.k8s.io."
_EXTRA = "Impersonate-Extra-"
_SESSION, _MADE_BY = "skerry.dev/session", "skerry.dev/made-by"
_IMPERSONATION = "impersonate-"
_IDENTITY = ("x-remote-", "x-forwarded-", "authorization", "cookie", "proxy-", "forwarded")
_OF_THE_CONNECTION = frozenset({
    "connection", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
})  # fmt: skip
_OF_WEBSOCKETS, _WEBSOCKET = "sec-websocket-", "websocket"
_LENGTH = "content-length"
_NOT_RETURNED = frozenset({
    "connection", "date", "keep-alive", "proxy-authenticate", "set-cookie", "te", "trailer", "transfer-encoding",
    "upgrade",
})  # fmt: skip


@record
class Asked:
    """A request of somebody known, as it goes on to the API."""

    person: Person
    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    has_body: bool
    upgrade: str
    """Another protocol that the client would like to speak, lower case."""


def asked_of(person: Person, method: str, target: str, headers: RawHeaders, source: str) -> Asked:
    """`source`: the client's address. Raises Forbidden for a request that wants to act as somebody else."""
    read = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers]
    upgrade = next((value.lower() for name, value in read if name == "upgrade"), "")
    has_body = upgrade != _WEBSOCKET and _has_body(read)
    if not has_body:  # nobody must wait for what is never sent, and take the next request for it
        read = [(name, value) for name, value in read if name != _LENGTH]
    return Asked(person, method, target, _sent(read, person, source), has_body, upgrade)


def target_of(raw_path: bytes, query: bytes) -> str:
    """Path and query at the API. Raises NotFound for one that is not literally below our prefix."""
    path = raw_path.decode("ascii", "replace")
    if not path.startswith(f"{PREFIX}/"):  # whoever escapes a part of the prefix must not have us cut elsewhere
        raise NotFound(f"the Kubernetes API is below {PREFIX}/")
    return path.removeprefix(PREFIX) + (f"?{query.decode('ascii', 'replace')}" if query else "")


def token_of(headers: RawHeaders, protocols: Sequence[str] = ()) -> str:
    """The token as `Authorization: Bearer` has it or, from browsers, a WebSocket protocol; "" when there is none."""
    for name, value in headers:
        scheme, _, token = value.decode("latin-1").partition(" ")
        if name == b"authorization" and scheme.lower() == "bearer":
            return token.strip()
    for one in protocols:
        if one.startswith(_BEARER_PROTOCOL):
            return _decoded(one.removeprefix(_BEARER_PROTOCOL))
    return ""


def protocols_for(protocols: Sequence[str]) -> list[str]:
    """The WebSocket protocols to ask the API for: those that are no credentials."""
    return [one for one in protocols if not one.startswith(_BEARER_PROTOCOL)]


def returned_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """What the client is sent; redirects lead to the gateway again."""
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in _NOT_RETURNED]
    return [
        (name.encode("latin-1"), (_through_us(value) if name == "location" else value).encode("latin-1", "replace"))
        for name, value in kept
    ]


def _sent(read: Sequence[tuple[str, str]], person: Person, source: str) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in read if _passes(name)]
    return [*kept, *identity_of(person), *([("X-Forwarded-For", source)] if source else [])]


def _has_body(read: Sequence[tuple[str, str]]) -> bool:
    return any(name == "transfer-encoding" or (name == _LENGTH and value != "0") for name, value in read)


def _passes(name: str) -> bool:
    if name.startswith(_IMPERSONATION):
        raise Forbidden("acting as somebody else (--as) is not possible through the gateway")
    return not (name in _OF_THE_CONNECTION or name.startswith(_IDENTITY) or name.startswith(_OF_WEBSOCKETS))


def identity_of(person: Person) -> list[tuple[str, str]]:
    """The groups of a person and no others: the API server adds `system:authenticated`."""
    return [
        ("Impersonate-User", person.user),
        *(("Impersonate-Group", group) for group in person.groups),
        *((_EXTRA + quote(key, safe=""), value) for key, value in extra_of(person).items()),
    ]


def extra_of(person: Person) -> dict[str, str]:
    """What the audit log is told beside name and groups."""
    extra = {_SESSION: person.session, _MADE_BY: person.made_by}
    return {key: value for key, value in extra.items() if value}


def _through_us(location: str) -> str:
    return PREFIX + location if location.startswith("/") and not location.startswith("//") else location


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""
