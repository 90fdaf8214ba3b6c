"""A small extension API server, as the sample-apiserver is one: `flunders` of wardle.example.com/v1alpha1, in memory.

It believes the front proxy's headers on connections that show the front proxy's certificate, and nobody else's. A
module for tests, and a program for a pod:

async with extension_server(folder, authentication_data) as running:
    running.port, running.bundle, running.seen      # where, its caBundle, (user, groups, headers) of each request
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

GROUP, VERSION = "wardle.example.com", "v1alpha1"
GROUP_VERSION = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{GROUP_VERSION}"
_SCHEMA = {
    "type": "object",
    "description": "A flunder, of all things.",
    "x-kubernetes-group-version-kind": [{"group": GROUP, "version": VERSION, "kind": "Flunder"}],
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {"reference": {"type": "string", "description": "What it is about."}}},
    },
}
_GVK = {"group": GROUP, "version": VERSION, "kind": "Flunder"}


@dataclass
class Running:
    """`seen` grows with every request that was let in."""

    port: int
    bundle: str
    seen: list[dict[str, Any]] = field(default_factory=list)


class Flunders:
    """Objects by (namespace, name), and every change there was."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.changes: list[tuple[str, dict[str, Any]]] = []
        self.changed = asyncio.Condition()

    async def put(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Store and tell."""
        key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
        kind = "MODIFIED" if key in self.objects else "ADDED"
        stored = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(len(self.changes) + 1)}}
        self.objects[key] = stored
        await self._tell(kind, stored)
        return stored

    async def remove(self, key: tuple[str, str]) -> dict[str, Any] | None:
        """Forget and tell."""
        obj = self.objects.pop(key, None)
        if obj is not None:
            await self._tell("DELETED", obj)
        return obj

    async def _tell(self, kind: str, obj: dict[str, Any]) -> None:
        self.changes.append((kind, obj))
        async with self.changed:
            self.changed.notify_all()


def application(authentication: Mapping[str, str], seen: list[dict[str, Any]]) -> web.Application:
    """`authentication`: the data of the ConfigMap extension-apiserver-authentication."""
    allowed = json.loads(authentication["requestheader-allowed-names"])
    flunders = Flunders()

    @web.middleware
    async def believe(request: web.Request, handler: Any) -> web.StreamResponse:
        certificate = request.get_extra_info("peercert") or {}
        names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
        if not set(names) & set(allowed) or "X-Remote-User" not in request.headers:
            return _status(401, "Unauthorized", "who are you?")
        groups = request.headers.getall("X-Remote-Group", [])
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        user = request.headers["X-Remote-User"]
        seen.append({"user": user, "groups": groups, "headers": headers, "path": request.path})
        answer: web.StreamResponse = await handler(request)
        return answer

    app = web.Application(middlewares=[believe])
    _add_documents(app)
    _add_resource(app, flunders)
    app.router.add_get(f"{ROOT}/namespaces/{{ns}}/flunders/{{name}}/talk", _talk)
    return app


def _add_documents(app: web.Application) -> None:
    """Discovery and OpenAPI."""
    version = {"groupVersion": GROUP_VERSION, "version": VERSION}
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    flunder = {"name": "flunders", "singularName": "flunder", "namespaced": True, "kind": "Flunder", "verbs": verbs}
    talk = {"name": "flunders/talk", "singularName": "", "namespaced": True, "kind": "Flunder", "verbs": ["get"]}
    group = {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": [version], "preferredVersion": version}
    listed = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION}
    index = {"paths": {ROOT[1:]: {"serverRelativeURL": f"/openapi/v3{ROOT}?hash=ABC"}}}
    name = "io.k8s.sample-apiserver.pkg.apis.wardle.v1alpha1.Flunder"
    info = {"title": "wardle", "version": "0.1"}
    responses = {"200": {"description": "OK"}}
    operation = {"x-kubernetes-action": "get", "x-kubernetes-group-version-kind": _GVK, "responses": responses}
    paths = {f"{ROOT}/namespaces/{{namespace}}/flunders/{{name}}": {"get": operation}}
    v3 = {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": {name: _SCHEMA}}}
    v2 = {"swagger": "2.0", "info": info, "paths": paths, "definitions": {name: _SCHEMA}}
    documents = {
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]},
        f"/apis/{GROUP}": group,
        ROOT: {**listed, "resources": [{**flunder, "shortNames": ["fl"], "categories": ["all"]}, talk]},
        "/openapi/v3": index,
        f"/openapi/v3{ROOT}": v3,
        "/openapi/v2": v2,
    }
    for path, document in documents.items():
        app.router.add_get(path, _constant(document))


def _constant(document: Any) -> Any:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(document)

    return answer


def _add_resource(app: web.Application, flunders: Flunders) -> None:
    one, all_of = f"{ROOT}/namespaces/{{ns}}/flunders/{{name}}", f"{ROOT}/namespaces/{{ns}}/flunders"

    async def list_or_watch(request: web.Request) -> web.StreamResponse:
        namespace = request.match_info.get("ns")
        if request.query.get("watch") in ("1", "true"):
            return await _watch(request, flunders, namespace)
        items = [obj for (ns, _), obj in sorted(flunders.objects.items()) if namespace in (None, ns)]
        metadata = {"resourceVersion": str(len(flunders.changes))}
        return web.json_response(
            {"kind": "FlunderList", "apiVersion": GROUP_VERSION, "metadata": metadata, "items": items}
        )

    async def create(request: web.Request) -> web.Response:
        obj = await request.json()
        name = obj["metadata"].get("name", "")
        if (request.match_info["ns"], name) in flunders.objects:
            return _status(409, "AlreadyExists", f'flunders.{GROUP} "{name}" already exists')
        metadata = {**obj["metadata"], "namespace": request.match_info["ns"], "uid": f"uid-{len(flunders.changes)}"}
        metadata["creationTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return web.json_response(await flunders.put({**obj, "metadata": metadata}), status=201)

    async def handle_one(request: web.Request) -> web.Response:
        key = (request.match_info["ns"], request.match_info["name"])
        found = flunders.objects.get(key)
        if found is None:
            return _status(404, "NotFound", f'flunders.{GROUP} "{key[1]}" not found')
        if request.method == "GET":
            return web.json_response(found)
        if request.method == "DELETE":
            await flunders.remove(key)
            return web.json_response({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
        change = json.loads(await request.read())
        metadata = {**found["metadata"], **(change.get("metadata") or {})}
        return web.json_response(await flunders.put({**found, **change, "metadata": metadata}))

    app.router.add_get(f"{ROOT}/flunders", list_or_watch)
    app.router.add_get(all_of, list_or_watch)
    app.router.add_post(all_of, create)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        app.router.add_route(method, one, handle_one)


async def _watch(request: web.Request, flunders: Flunders, namespace: str | None) -> web.StreamResponse:
    sent = int(request.query.get("resourceVersion") or 0)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        for kind, obj in flunders.changes[sent:]:
            if namespace in (None, obj["metadata"]["namespace"]):
                await response.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")
        sent = len(flunders.changes)
        async with flunders.changed:
            while len(flunders.changes) == sent:
                await flunders.changed.wait()


async def _talk(request: web.Request) -> web.StreamResponse:
    """A WebSocket that says everything back, with the name of who says it."""
    socket = web.WebSocketResponse(protocols=["talk.example.com"])
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(f"{request.headers['X-Remote-User']}: {message.data}")
    return socket


def _status(code: int, reason: str, message: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return web.json_response({**body, "reason": reason, "message": message, "code": code}, status=code)


def issue_certificate(folder: Path, name: str) -> tuple[Path, Path, str]:
    """A certificate for a name and its key (PEM files), and the bundle to trust it by."""
    from skerry.kube.certificates.making import issue_authority, issue_leaf  # a pod has no skerry
    from skerry.kube.certificates.wanted import Wanted

    now = datetime.now(UTC)
    authority = issue_authority(Wanted("ca", "extension servers"), now)
    pair = issue_leaf(Wanted("server", name, names=(name,)), (authority.certificate, authority.key), now)
    certificate, key = folder / "extension.crt", folder / "extension.key"
    certificate.write_bytes(pair.certificate)
    key.write_bytes(pair.key)
    return certificate, key, base64.b64encode(authority.certificate).decode()


def tls_context(authentication: Mapping[str, str], pair: tuple[Path, Path]) -> ssl.SSLContext:
    """Client certificates are asked for; those of the front proxy's authority pass."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.load_verify_locations(cadata=authentication["requestheader-client-ca-file"])
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@asynccontextmanager
async def extension_server(
    folder: Path, authentication: Mapping[str, str], host: str = "api.wardle.svc", port: int = 0
) -> AsyncIterator[Running]:
    """Serve on a port of 127.0.0.1 until left. `host`: the name in its certificate."""
    certificate, key, bundle = issue_certificate(folder, host)
    running = Running(0, bundle)
    runner = web.AppRunner(application(authentication, running.seen), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls_context(authentication, (certificate, key)))
    await site.start()
    running.port = runner.addresses[0][1]
    try:
        yield running
    finally:
        await runner.cleanup()


def main() -> None:
    """Serve on all addresses; `authentication` is a JSON file."""
    parser = argparse.ArgumentParser()
    for name in ("authentication", "certificate", "key"):
        parser.add_argument(name, type=Path)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    authentication = json.loads(given.authentication.read_text())
    context = tls_context(authentication, (given.certificate, given.key))
    web.run_app(application(authentication, []), port=given.port, ssl_context=context, print=None)


if __name__ == "__main__":
    main()
