"""Sends a request that asks for another protocol (WebSocket, SPDY ...) on to a backend.

When the backend agrees, what follows is bytes both ways that nobody here reads; otherwise its answer is the client's.
Neighbour: `kube.http_upgrading`, which asks. Source: apimachinery `pkg/util/proxy/upgradeaware.go`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from skerry.engine.api.response import Raw, Response, Upgraded
from skerry.engine.api.subresources.proxy.forwarding import Outgoing, returned_fields, unreachable
from skerry.engine.api.trust import unverified
from skerry.kube.http_upgrading import Agreed, Place, ask, request_bytes


async def upgrade(outgoing: Outgoing, protocol: str) -> Response:
    """The backend's agreement, with the connection, or what it says instead. Raises ServiceUnavailable."""
    try:
        answer = await ask(_place(outgoing), _request(outgoing, protocol))
    except OSError as error:
        raise unreachable(error) from error
    if isinstance(answer, Agreed):
        return Upgraded(answer.fields, answer.begun, answer.reader, answer.writer)
    types = [value for name, value in answer.fields if name.lower() == "content-type"]
    headers = dict(returned_fields(answer.fields, outgoing.proxied))
    return Raw(answer.body, (types or ["text/plain; charset=utf-8"])[0], answer.status, headers)


def _place(outgoing: Outgoing) -> Place:
    parts = urlsplit(outgoing.url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return Place(host, parts.port or 80)
    return Place(host, parts.port or 443, outgoing.trust.context or unverified(), outgoing.trust.server_name)


def _request(outgoing: Outgoing, protocol: str) -> bytes:
    parts = urlsplit(outgoing.url)
    fields = list(outgoing.headers)
    if not any(name.lower() == "host" for name, _ in fields):
        fields.append(("host", parts.netloc))
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return request_bytes(outgoing.method, target, fields, protocol, outgoing.body)
