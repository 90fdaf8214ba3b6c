"""`pods/proxy`, `services/proxy`, `nodes/proxy`: find the backend, ask admission, send the request on.

Neighbours: `locating` (where), `forwarding` (the exchange), `http.routes` (cuts what follows
`/proxy` off the path).
Source: Kubernetes' `pkg/registry/core/{pod,service}/rest`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import NO_OPTIONS, Attributes
from skerry.engine.api.backend import Backend
from skerry.engine.api.http.routes import proxied_part
from skerry.engine.api.request import Request
from skerry.engine.api.response import Raw, Response
from skerry.engine.api.subresources.proxy.forwarding import Outgoing, forward, forwarded_headers, sent_headers
from skerry.engine.api.subresources.proxy.locating import backend_of, endpoint_authority, pod_authority, port_name
from skerry.engine.api.subresources.proxy.node import kubelet_answer
from skerry.engine.api.subresources.proxy.rewriting import Proxied
from skerry.engine.store.contract import Key
from skerry.kube.errors import not_found
from skerry.kube.objects import Obj


async def proxy(backend: Backend, request: Request) -> Response:
    """Any method to a pod, or to a pod behind a service. Raises NotFound, BadRequest, ServiceUnavailable."""
    target = request.what
    prefix, path = proxied_part(request.path)
    options: Obj = {"kind": f"{target.kind.resource.kind}ProxyOptions", "apiVersion": "v1", "path": path}
    await backend.admission.admit(Attributes("CONNECT", request, target, options, None, NO_OPTIONS))
    if target.group_resource == "nodes":
        return await kubelet_answer(backend, request, path)
    scheme, authority = _located(backend, request)
    query = f"?{request.raw_query.decode('latin-1')}" if request.raw_query else ""
    if not path and not request.upgrade and request.method in ("GET", "HEAD"):
        return Raw(b"", "text/plain; charset=utf-8", 301, {"location": f"{request.path}/{query}"})
    host = request.headers.get(b"host", b"").decode("latin-1")
    proxied = Proxied("https", host, prefix, authority)
    outgoing = Outgoing(
        request.method,
        f"{scheme}://{authority}{path or '/'}{query}",
        [*sent_headers(request.raw_headers, request.source), *forwarded_headers(proxied, path or "/")],
        await request.read() if request.read is not None else b"",
        proxied,
    )
    return await exchanged(outgoing, request)


async def exchanged(outgoing: Outgoing, request: Request) -> Response:
    """The backend's answer to a request as it is to be sent, which may be another protocol, when the client asks for
    one. Raises ServiceUnavailable."""
    if request.upgrade:
        from skerry.engine.api.subresources.proxy.upgrading import upgrade  # seldom used

        return await upgrade(outgoing, request.upgrade)
    return await forward(outgoing)


def _located(backend: Backend, request: Request) -> tuple[str, str]:
    """Scheme and host:port of the backend."""
    target = request.what
    kind = target.kind.resource.kind.lower()
    wanted = backend_of(target.name, kind)
    if kind == "pod":
        return wanted.scheme, pod_authority(_object(backend, request, "pods", wanted.name), wanted)
    port = wanted.port
    if port.isdecimal():
        port = port_name(_object(backend, request, "services", wanted.name), wanted)
    found = backend.store.get(Key("endpoints", target.namespace, wanted.name))
    if found is None:
        _object(backend, request, "services", wanted.name)
    return wanted.scheme, endpoint_authority(found.shared() if found else None, port, wanted.name)


def _object(backend: Backend, request: Request, plural: str, name: str) -> Obj:
    entry = backend.store.get(Key(plural, request.what.namespace, name))
    if entry is None:
        raise not_found(plural, name)
    return entry.shared()
