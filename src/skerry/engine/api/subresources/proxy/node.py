"""`nodes/proxy`: what clients ask of a kubelet's own server, as far as this one can answer it: `/healthz`, `/pods`.

There is no kubelet to send requests on to: the node agent lives in this process. Everything else is refused by name.
Source: `pkg/kubelet/server/server.go`.
"""

from __future__ import annotations

import orjson

from skerry.engine.api.backend import Backend
from skerry.engine.api.refusals import NotSupported
from skerry.engine.api.request import Request
from skerry.engine.api.response import Raw, Response
from skerry.engine.api.subresources.proxy.locating import backend_of
from skerry.engine.store.contract import Key
from skerry.kube.errors import BadRequest, ServiceUnavailable, not_found

_PORT = "10250"


def kubelet_answer(backend: Backend, request: Request, path: str) -> Response:
    """The answer to GET `path`. Raises NotFound, BadRequest, ServiceUnavailable for a node that is not this machine's,
    NotSupported."""
    wanted = backend_of(request.what.name, "node")
    if backend.store.get(Key("nodes", "", wanted.name)) is None:
        raise not_found("nodes", wanted.name)
    if wanted.port not in ("", _PORT):
        raise BadRequest(f"address not allowed: port {wanted.port} of node {wanted.name}")
    if backend.pod_access is None or wanted.name != backend.config.node_name:
        raise ServiceUnavailable(f"error trying to reach service: no node agent of {wanted.name} runs here")
    if path.rstrip("/") == "/healthz" and request.method in ("GET", "HEAD"):
        return Raw(b"ok", "text/plain; charset=utf-8")
    if path.rstrip("/") == "/pods" and request.method in ("GET", "HEAD"):
        return Raw(_pods(backend, wanted.name))
    raise NotSupported(f"{request.method} {path or '/'} of nodes/proxy is not supported by this server")


def _pods(backend: Backend, node: str) -> bytes:
    pods = [entry.shared() for entry in backend.store.list("pods")]
    bound = [pod for pod in pods if (pod.get("spec") or {}).get("nodeName") == node]
    return orjson.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": bound})
