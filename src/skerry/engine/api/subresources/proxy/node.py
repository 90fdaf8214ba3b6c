"""`nodes/proxy`: what clients ask of a kubelet's own server, as far as this one can answer it.

There is no kubelet to send requests on to: the node agent lives in this process. Everything else is refused by name.
Source: `pkg/kubelet/server/server.go`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import orjson

from skerry.engine.api.backend import Backend
from skerry.engine.api.pod_access import PodAccess
from skerry.engine.api.refusals import NotSupported
from skerry.engine.api.request import Request
from skerry.engine.api.response import Raw, Response
from skerry.engine.api.subresources.proxy.locating import backend_of
from skerry.engine.store.contract import Key
from skerry.kube.errors import BadRequest, ServiceUnavailable, not_found

_PORT = "10250"
_TEXT = "text/plain; charset=utf-8"
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

Answer: TypeAlias = Callable[[Backend, PodAccess], Awaitable[Raw]]


async def kubelet_answer(backend: Backend, request: Request, path: str) -> Response:
    """The answer to GET `path`. Raises NotFound, BadRequest, ServiceUnavailable for a node that is not this machine's,
    NotSupported."""
    wanted = backend_of(request.what.name, "node")
    if backend.store.get(Key("nodes", "", wanted.name)) is None:
        raise not_found("nodes", wanted.name)
    if wanted.port not in ("", _PORT):
        raise BadRequest(f"address not allowed: port {wanted.port} of node {wanted.name}")
    if backend.pod_access is None or wanted.name != backend.config.node_name:
        raise ServiceUnavailable(f"error trying to reach service: no node agent of {wanted.name} runs here")
    answer = _ANSWERS.get(path.rstrip("/"))
    if answer is None or request.method not in ("GET", "HEAD"):
        raise NotSupported(f"{request.method} {path or '/'} of nodes/proxy is not supported by this server")
    return await answer(backend, backend.pod_access)


async def _ok(backend: Backend, access: PodAccess) -> Raw:
    return Raw(b"ok", _TEXT)


async def _pods(backend: Backend, access: PodAccess) -> Raw:
    """Those bound to the node, as the API has them."""
    pods = [entry.shared() for entry in backend.store.list("pods")]
    bound = [pod for pod in pods if (pod.get("spec") or {}).get("nodeName") == backend.config.node_name]
    return Raw(orjson.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": bound}))


async def _running_pods(backend: Backend, access: PodAccess) -> Raw:
    return Raw(orjson.dumps(await access.running_pods()))


async def _summary(backend: Backend, access: PodAccess) -> Raw:
    return Raw(orjson.dumps(await access.summary()))


def _page(name: str) -> Answer:
    async def answer(backend: Backend, access: PodAccess) -> Raw:
        return Raw((await access.metrics_page(name)).encode(), _PROMETHEUS)

    return answer


_ANSWERS: Mapping[str, Answer] = {
    "/healthz": _ok,
    "/healthz/ping": _ok,
    "/pods": _pods,
    "/runningpods": _running_pods,
    "/stats/summary": _summary,
    "/metrics": _page(""),
    "/metrics/resource": _page("resource"),
    "/metrics/cadvisor": _page("cadvisor"),
}
