"""Passes requests for group versions elsewhere on to their servers, as the user who was let in.

What the server answers is the client's as it comes: watches, any media type, refusals. Neighbours: `table`, `servers`,
`identity`; `subresources.proxy.forwarding` does the exchange. Source: `kube-aggregator/pkg/apiserver/handler_proxy.go`.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

import orjson

from skerry.engine.api.aggregation.identity import identity_headers, is_identity
from skerry.engine.api.aggregation.remote import GroupVersion, RemoteApi
from skerry.engine.api.aggregation.servers import ExtensionServers
from skerry.engine.api.aggregation.table import ApiServiceTable
from skerry.engine.api.refusals import no_such_path
from skerry.engine.api.request import Handler, Request
from skerry.engine.api.response import Response
from skerry.engine.api.subresources.proxy.forwarding import Fields, Outgoing, forwarded_headers, sent_headers
from skerry.engine.api.subresources.proxy.handler import exchanged
from skerry.engine.api.subresources.proxy.rewriting import Proxied
from skerry.kube.errors import ServiceUnavailable

_METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETE"}


class _Asked(NamedTuple):
    """A request as the other server is to see it."""

    method: str
    path: str
    query: str
    headers: Fields
    body: bytes


def place_of(request: Request) -> GroupVersion | None:
    """The group version a request is about; None for paths that are about none."""
    if request.target is not None:
        resource = request.target.kind.resource
        return resource.group, resource.version
    match request.path.strip("/").split("/"):
        case ["apis", group, version] | ["openapi", "v3", "apis", group, version]:
            return group, version
    return None


def routed(table: ApiServiceTable, servers: ExtensionServers, resources: Handler, plain: Handler) -> Handler:
    """The handler that passes on what is elsewhere and leaves the rest to those of resources and of plain paths."""

    async def handle(request: Request) -> Response:
        if table.remotes and (remote := table.serving(place_of(request))) is not None:
            return await _pass_on(remote, servers, request)
        return await (plain if request.target is None else resources)(request)

    return handle


async def _pass_on(remote: RemoteApi, servers: ExtensionServers, request: Request) -> Response:
    """Raises ServiceUnavailable."""
    if not remote.available:
        raise ServiceUnavailable("service unavailable")
    authority = servers.pick(remote)
    asked = await _asked(request)
    sent = [(name, value) for name, value in asked.headers if not is_identity(name)]
    host = request.headers.get(b"host", b"").decode("latin-1")
    query = f"?{asked.query}" if asked.query else ""
    proxied = Proxied("https", host, "", authority)
    outgoing = Outgoing(
        asked.method,
        f"https://{authority}{asked.path}{query}",
        [*sent, *forwarded_headers(proxied, asked.path), *identity_headers(request.who)],
        asked.body,
        proxied,
        servers.trust(remote),
    )
    return await exchanged(outgoing, request)


async def _asked(request: Request) -> _Asked:
    if request.read is None:
        return _asked_here(request)
    headers = sent_headers(request.raw_headers, request.source)
    return _Asked(request.method, request.path, request.raw_query.decode("latin-1"), headers, await request.read())


def _asked_here(request: Request) -> _Asked:
    """What a client of this process asks for. Raises NotFound for what no HTTP request could be."""
    if request.target is None:
        raise no_such_path()
    target = request.what
    query = {**request.query, "watch": "true"} if request.verb == "watch" else request.query
    headers = [("accept", "application/json")]
    if request.content_type or request.handed is not None:
        headers.append(("content-type", request.content_type or "application/json"))
    path = target.kind.resource.path(target.namespace, target.name, target.subresource)
    body = orjson.dumps(request.handed) if request.handed is not None else b""
    return _Asked(_METHODS.get(request.verb, "GET"), path, urlencode(query), headers, body)
