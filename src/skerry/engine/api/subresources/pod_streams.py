"""`pods/log`, and `exec`, `attach` and `portforward` over SPDY or WebSockets; for anything else these are a refusal.

The streams themselves are `engine.api.streams`; this file finds the pod and hands over.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import NO_OPTIONS, Attributes
from skerry.engine.api.backend import Backend, find
from skerry.engine.api.pod_access import PodAccess
from skerry.engine.api.refusals import no_such_path
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response, Streamed, Switched
from skerry.engine.api.streams.connect_options import connect_options
from skerry.engine.api.streams.logs import open_log
from skerry.engine.api.streams.websocket import Receive, Scope, Send
from skerry.kube.errors import ServiceUnavailable
from skerry.kube.objects import Obj

_VERSION = "X-Stream-Protocol-Version"


async def log(backend: Backend, request: Request) -> Response:
    """A container's log. Raises NotFound, BadRequest, Invalid."""
    return Streamed(await open_log(_access(backend), _pod(backend, request), request.raw_query))


async def stream(backend: Backend, request: Request) -> Response:
    """SPDY into a pod. Raises what is wrong with the request, or that it asks for nothing that streams."""
    from skerry.engine.api.streams.upgrade import agree_to_spdy, check_plain_request  # streams are seldom used

    subresource, pod = request.what.subresource, _pod(backend, request)
    if not request.upgrade:
        upgrade = request.headers.get(b"upgrade", b"").decode("latin-1")
        raise check_plain_request(pod, subresource, request.raw_query, upgrade)
    await _admit(backend, request)
    chosen, speak = agree_to_spdy(_access(backend), pod, subresource, request.raw_query, _offered(request))
    return Switched([("Connection", "Upgrade"), ("Upgrade", "SPDY/3.1"), (_VERSION, chosen)], speak)


async def connect(backend: Backend, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a WebSocket into a pod. Raises NotFound for a path without streams, ServiceUnavailable without a node."""
    from skerry.engine.api.streams.upgrade import SUBRESOURCES, serve_websocket  # streams are seldom used

    target = request.target
    if target is None or target.group_resource != "pods" or target.subresource not in SUBRESOURCES:
        raise no_such_path()
    pod = _pod(backend, request)
    if target.subresource != "log":  # reading is no CONNECT
        await _admit(backend, request)
    await serve_websocket(_access(backend), pod, target.subresource, scope, receive, send)


async def _admit(backend: Backend, request: Request) -> None:
    options = connect_options(request.what.subresource, request.raw_query)
    await backend.admission.admit(Attributes("CONNECT", request, request.what, options, None, NO_OPTIONS))


def _offered(request: Request) -> list[str]:
    """The protocols the client speaks, best first."""
    values = [value.decode("latin-1") for name, value in request.raw_headers if name == _VERSION.lower().encode()]
    return [name for value in values for one in value.split(",") if (name := one.strip())]


def _pod(backend: Backend, request: Request) -> Obj:
    return find(backend, request.what).shared()


def _access(backend: Backend) -> PodAccess:
    if backend.pod_access is None:
        raise ServiceUnavailable("this API server has no node to reach pods on")
    return backend.pod_access
