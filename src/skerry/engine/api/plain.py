"""Plain paths: everything that is not a resource. Documents are kept until the registry changes, or what is known of
extension API servers does."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import orjson

from skerry.engine.api.aggregation.openapi import ExtensionSchemas, Part
from skerry.engine.api.aggregation.table import ApiServiceTable
from skerry.engine.api.auth.token_issuer import TokenIssuer
from skerry.engine.api.discovery import groups, issuer
from skerry.engine.api.discovery.health import Health
from skerry.engine.api.discovery.openapi import (
    INDEX,
    PREFIX,
    openapi_address,
    openapi_document,
    openapi_index,
    with_extensions,
)
from skerry.engine.api.discovery.order import in_order
from skerry.engine.api.discovery.remote import remote_version
from skerry.engine.api.discovery.version import version
from skerry.engine.api.http.negotiation import Form, negotiate
from skerry.engine.api.metrics import Metrics
from skerry.engine.api.refusals import method_not_allowed, no_such_path
from skerry.engine.api.request import Request
from skerry.engine.api.response import Raw, Response
from skerry.engine.schema.registry import Registry
from skerry.kube.objects import Obj

_FOR_GOOD = "public, immutable, max-age=31536000"
_HEALTH = ("healthz", "livez", "readyz")


class Plain:
    """The handler of plain paths. `address` gives the API's host:port."""

    def __init__(
        self,
        registry: Registry,
        api_services: ApiServiceTable,
        schemas: ExtensionSchemas,
        health: Health,
        metrics: Metrics,
        address: Callable[[], str],
        token_issuer: TokenIssuer,
    ) -> None:
        self._registry = registry
        self._api_services = api_services
        self._schemas = schemas
        self._issuer = token_issuer
        self._health = health
        self._metrics = metrics
        self._address = address
        self._documents: dict[tuple[str, str], Raw] = {}
        self._generation = self._current_generation()

    async def handle(self, request: Request) -> Response:
        """Answer a plain path. Raises NotFound, MethodNotAllowed, NotAcceptable."""
        if request.verb not in ("get", "head"):
            raise method_not_allowed()
        path = request.path.rstrip("/")
        first = path.partition("/")[2].partition("/")[0]
        if first in _HEALTH:
            return self._health.answer(path, request.query)
        if path == "/metrics":
            return Raw(self._metrics.text().encode(), "text/plain; version=0.0.4; charset=utf-8")
        if path == issuer.CONFIGURATION:
            return issuer.configuration(self._issuer, self._address())
        if path == issuer.KEYS:
            return issuer.keys(self._issuer)
        accept = request.headers.get(b"accept", b"")
        if path == "/openapi/v2" and b"proto-openapi.spec.v2" in accept and b"application/json" not in accept:
            from skerry.engine.api.discovery.openapi_protobuf import CONTENT_TYPE, document

            return _unless_known(request, _raw(document(self._registry, await self._extensions()), CONTENT_TYPE))
        form = negotiate(accept)
        if path == "/openapi/v2" and (parts := await self._extensions()):
            return _unless_known(request, _raw(with_extensions(openapi_document(self._registry, path), parts)))
        if path.startswith(PREFIX):
            return _unless_known(request, self._openapi(path, request.query.get("hash", "")))
        return _unless_known(request, self._document(path, form))

    async def _extensions(self) -> list[Part]:
        return await self._schemas.parts() if self._api_services.remotes else []

    def _openapi(self, path: str, wanted: str) -> Raw:
        """A document. One that is asked for by its hash may be kept for good, or is at another address by now."""
        known = self._api_services
        if path == INDEX:
            return _raw(
                orjson.dumps(openapi_index(self._registry, {each: known.learnt(each) for each in known.remotes}))
            )
        document = _raw(openapi_document(self._registry, path))
        if not wanted:
            return document
        url = openapi_address(self._registry, path)
        if not url.endswith(f"?hash={wanted}"):
            return Raw(b"", code=301, headers={"location": url})
        return replace(document, headers={**document.headers, "cache-control": _FOR_GOOD})

    def _document(self, path: str, form: Form) -> Raw:
        if self._generation != self._current_generation():
            self._documents.clear()
            self._generation = self._current_generation()
        aggregated = form.shape == "discovery" and path in ("/api", "/apis")
        key = (path, form.version if aggregated else "")
        if key not in self._documents:
            self._documents[key] = self._make(path, form, aggregated=aggregated)
        return self._documents[key]

    def _make(self, path: str, form: Form, *, aggregated: bool) -> Raw:
        if aggregated:
            obj = groups.aggregated(self._shown(), self._described, form.version, core=path == "/api")
            parameters = f";g=apidiscovery.k8s.io;v={form.version};as=APIGroupDiscoveryList"
            return _raw(orjson.dumps(obj), f"application/json{parameters}")
        obj_or_none = self._discovered(path)
        if obj_or_none is None:
            raise no_such_path()
        return _raw(orjson.dumps(obj_or_none))

    def _discovered(self, path: str) -> Obj | None:
        match path.split("/")[1:]:
            case []:
                return {"paths": self._paths()}
            case ["version"]:
                return version()
            case ["api"]:
                return groups.api_versions(self._address())
            case ["apis"]:
                return groups.group_list(self._shown())
            case ["api", each]:
                return groups.resource_list(self._registry, "", each)
            case ["apis", name]:
                return groups.group(self._shown(), name)
            case ["apis", name, each] if name:
                return groups.resource_list(self._registry, name, each)
        return None

    def _current_generation(self) -> tuple[int, int]:
        return self._registry.generation, self._api_services.generation

    def _shown(self) -> dict[str, list[str]]:
        known = self._api_services
        return in_order(self._registry.versions(), known.remotes, known.priorities)

    def _described(self, group: str, version: str) -> Obj:
        place = (group, version)
        if place not in self._api_services.remotes:
            return groups.aggregated_version(self._registry, group, version)
        learnt = self._api_services.learnt(place)
        return remote_version(group, version, learnt.resources, current=learnt.current)

    def _paths(self) -> list[str]:
        served = self._shown()
        paths = ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz"]
        paths += [issuer.CONFIGURATION, issuer.KEYS]
        paths += [f"/apis/{name}" for name in served if name]
        paths += [f"/apis/{name}/{each}" for name, versions in served.items() if name for each in versions]
        return sorted([*paths, "/version"])


def _raw(body: bytes, content_type: str = "application/json") -> Raw:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32].upper()}"'
    return Raw(body, content_type, headers={"etag": etag, "vary": "Accept"})


def _unless_known(request: Request, document: Raw) -> Raw:
    """304 when the client has this very document."""
    known = request.headers.get(b"if-none-match", b"").decode("latin-1")
    if known and known == document.headers.get("etag"):
        return Raw(b"", document.content_type, 304, document.headers)
    return document
