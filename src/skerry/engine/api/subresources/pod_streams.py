"""`pods/log`, and what is left of `exec`, `attach` and `portforward` when no WebSocket is asked for: a refusal.

The streams themselves are `engine.api.streams`; this file finds the pod and hands over.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import NO_OPTIONS, Attributes
from skerry.engine.api.backend import Backend, find
from skerry.engine.api.pod_access import PodAccess
from skerry.engine.api.refusals import no_such_path
from skerry.engine.api.request import Request
from skerry.engine.api.response import Response, Streamed
from skerry.engine.api.streams.connect_options import connect_options
from skerry.engine.api.streams.logs import open_log
from skerry.engine.api.streams.websocket import Receive, Scope, Send
from skerry.kube.errors import ServiceUnavailable
from skerry.kube.objects import Obj


async def log(backend: Backend, request: Request) -> Response:
    """A container's log. Raises NotFound, BadRequest, Invalid."""
    return Streamed(await open_log(_access(backend), _pod(backend, request), request.raw_query))


async def refuse_plain(backend: Backend, request: Request) -> Response:
    """Streams need a WebSocket. Raises what is wrong with the request, or that."""
    from skerry.engine.api.streams.upgrade import check_plain_request

    upgrade = request.headers.get(b"upgrade", b"").decode("latin-1")
    raise check_plain_request(_pod(backend, request), request.what.subresource, request.raw_query, upgrade)


async def connect(backend: Backend, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a WebSocket into a pod. Raises NotFound for a path without streams, ServiceUnavailable without a node."""
    from skerry.engine.api.streams.upgrade import SUBRESOURCES, serve_websocket  # sockets are seldom used

    target = request.target
    if target is None or target.group_resource != "pods" or target.subresource not in SUBRESOURCES:
        raise no_such_path()
    pod = _pod(backend, request)
    if target.subresource != "log":  # reading is no CONNECT
        options = connect_options(target.subresource, request.raw_query)
        await backend.admission.admit(Attributes("CONNECT", request, target, options, None, NO_OPTIONS))
    await serve_websocket(_access(backend), pod, target.subresource, scope, receive, send)


def _pod(backend: Backend, request: Request) -> Obj:
    return find(backend, request.what).shared()


def _access(backend: Backend) -> PodAccess:
    if backend.pod_access is None:
        raise ServiceUnavailable("this API server has no node to reach pods on")
    return backend.pod_access
