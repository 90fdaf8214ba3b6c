"""A server with just enough of the API for clients to find one pod's streams: uvicorn, as the engine runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import uvicorn

from skerry.engine.api.streams import logs, metrics, upgrade
from skerry.engine.api.streams.websocket import SERVER_OPTIONS
from skerry.kube.errors import StatusError, not_found
from skerry.kube.objects import Obj
from tests.component.streams.local_pods import LocalPods

POD: Obj = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "web", "namespace": "default", "uid": "u-1", "labels": {"app": "web"}},
    "spec": {"nodeName": "here", "containers": [{"name": "main", "stdin": True, "tty": False}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "main", "ready": True, "state": {"running": {}}}]},
}
_POD_PATH = "/api/v1/namespaces/default/pods/web"
_PODS = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]}
_METRICS = "/apis/metrics.k8s.io/v1beta1"
_GROUP = {
    "name": metrics.GROUP,
    "versions": [{"groupVersion": f"{metrics.GROUP}/{metrics.VERSION}", "version": metrics.VERSION}],
}
_DOCUMENTS: dict[str, Obj] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_GROUP]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [_PODS]},
    _METRICS: {"kind": "APIResourceList", "groupVersion": "metrics.k8s.io/v1beta1", "resources": metrics.discovery()},
    "/api/v1/nodes": {"kind": "NodeList", "apiVersion": "v1", "items": [{"metadata": {"name": "here"}, "status": {}}]},
    _POD_PATH: POD,
}


class Server:
    """The application; `url` once it runs."""

    def __init__(self, pods: LocalPods) -> None:
        self.pods = pods
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if scope["type"] == "websocket":
            await upgrade.serve_websocket(self.pods, POD, path.rpartition("/")[2], scope, receive, send)
            return
        try:
            if path == f"{_POD_PATH}/log":
                await self._log(scope, receive, send)
            else:
                await _reply(send, 200, await self._document(scope, path))
        except StatusError as error:
            await _reply(send, error.code, error.to_json())

    async def _document(self, scope: Any, path: str) -> Obj:
        if path.startswith(f"{_POD_PATH}/"):
            header = dict(scope["headers"]).get(b"upgrade", b"").decode()
            raise upgrade.check_plain_request(POD, path.rpartition("/")[2], scope["query_string"], header)
        if path == f"{_METRICS}/namespaces/default/pods":
            return await metrics.list_metrics(self.pods, metrics.POD_METRICS, "default")
        if path == f"{_METRICS}/nodes":
            return await metrics.list_metrics(self.pods, metrics.NODE_METRICS)
        if path not in _DOCUMENTS:
            raise not_found("paths", path)
        return _DOCUMENTS[path]

    async def _log(self, scope: Any, receive: Any, send: Any) -> None:
        chunks = await logs.open_log(self.pods, POD, scope["query_string"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        sending = asyncio.create_task(_send_all(chunks, send))
        gone = asyncio.create_task(_gone(receive))
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in (sending, gone):
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)


async def _send_all(chunks: AsyncIterator[bytes], send: Any) -> None:
    try:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await chunks.aclose()  # type: ignore[attr-defined]


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reply(send: Any, code: int, document: Obj) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(document)})


@asynccontextmanager
async def serving(pods: LocalPods, **options: Any) -> AsyncIterator[Server]:
    """The server on a free port. `options`: of uvicorn, over those streams ask for."""
    application = Server(pods)
    options = {"port": 0, "log_level": "error", "lifespan": "off", "loop": "asyncio", **SERVER_OPTIONS, **options}
    config = uvicorn.Config(application, **options)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    application.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield application
    finally:
        server.should_exit = server.force_exit = True
        await running
