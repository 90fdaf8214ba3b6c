"""Whole documents, put together from encoded pieces and kept compressed: a few hundred kilobytes for all of them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

import orjson

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.openapi.custom import custom_schemas
from skerry.engine.schema.openapi.operations import definitions_of, paths_of
from skerry.engine.schema.openapi.schemas import Dialect, encoded_closure
from skerry.engine.schema.registry import Registry
from skerry.kube.objects import Obj

_INFO = {"title": "Kubernetes", "version": "v1.36.0"}
_V2, _V3 = Dialect(v3=False), Dialect(v3=True)
_cache: WeakKeyDictionary[Registry, tuple[int, dict[str, bytes]]] = WeakKeyDictionary()


class UnknownDocument(KeyError):
    """No group and version is served under that path."""


def v2(registry: Registry) -> bytes:
    """The Swagger 2.0 document of everything served, as JSON."""

    def build() -> Obj:
        kinds = registry.kinds()
        return {
            "swagger": "2.0",
            "info": _INFO,
            "paths": _paths(kinds, _V2),
            "definitions": {**encoded_closure(_roots(kinds), _V2), **custom_schemas(kinds, _V2)},
        }

    return _kept(registry, "v2", build)


def v3_index(registry: Registry) -> Obj:
    """What `/openapi/v3` answers: where each document is; the hash in its URL lets clients keep it for good."""
    paths = {}
    for path, (group, version) in _documents(registry).items():
        names = [f"{kind.resource!r} {kind.revision}" for kind in registry.kinds(group, version)]
        digest = hashlib.sha256("\n".join(["v1.36.0", *names]).encode()).hexdigest().upper()
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def v3(registry: Registry, path: str) -> bytes:
    """The OpenAPI 3.0 document of one group and version ("api/v1", "apis/apps/v1"), as JSON. Raises UnknownDocument."""
    place = _documents(registry).get(path)
    if place is None:
        raise UnknownDocument(path)

    def build() -> Obj:
        kinds = registry.kinds(*place)
        return {
            "openapi": "3.0.0",
            "info": _INFO,
            "paths": _paths(kinds, _V3),
            "components": {"schemas": {**encoded_closure(_roots(kinds), _V3), **custom_schemas(kinds, _V3)}},
        }

    return _kept(registry, path, build)


def _documents(registry: Registry) -> dict[str, tuple[str, str]]:
    return {
        f"apis/{group}/{version}" if group else f"api/{version}": (group, version)
        for group, versions in registry.versions().items()
        for version in versions
    }


def _roots(kinds: Iterable[Kind]) -> list[str]:
    return [name for kind in kinds for name in definitions_of(kind)]


def _paths(kinds: Iterable[Kind], dialect: Dialect) -> dict[str, Obj]:
    return {path: item for kind in kinds for path, item in paths_of(kind, dialect).items()}


def _kept(registry: Registry, name: str, build: Callable[[], Obj]) -> bytes:
    generation, documents = _cache.get(registry, (-1, {}))
    if generation != registry.generation:
        documents = {}
        _cache[registry] = (registry.generation, documents)
    if name not in documents:
        encoded = orjson.dumps(build())
        documents[name] = zlib.compress(encoded, 3)
        return encoded
    return zlib.decompress(documents[name])
