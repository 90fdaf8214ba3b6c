"""`/openapi/v2` in protobuf, the only form client-go reads it in: kubectl validates Lists by it.

Encoded are the schemas of everything served; paths are in `/openapi/v3`, where kubectl looks for them.
Kept compressed until the registry changes. Source: `OpenAPIv2.proto` of github.com/google/gnostic-models.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from skerry.engine.api.aggregation.openapi import Part, joined
from skerry.engine.api.protobuf.wire import block
from skerry.engine.schema.openapi.custom import custom_schemas
from skerry.engine.schema.openapi.operations import definitions_of
from skerry.engine.schema.openapi.schemas import Dialect, encoded_closure
from skerry.engine.schema.registry import Registry
from skerry.kube.objects import Obj

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_STRINGS = {"$ref": 1, "format": 2, "title": 3, "description": 4, "pattern": 13}
_SWAGGER, _INFO, _DEFINITIONS = 1, 2, 9
_DEFAULT, _REQUIRED, _ENUM, _ADDITIONAL, _TYPE, _ITEMS, _ALL_OF, _PROPERTIES, _EXTENSION = (
    5, 19, 20, 21, 22, 23, 24, 25, 31,
)  # fmt: skip
_kept: WeakKeyDictionary[Registry, tuple[int, bytes]] = WeakKeyDictionary()


def document(registry: Registry, parts: Iterable[Part] = ()) -> bytes:
    """The encoded `openapi.v2.Document`, with the definitions of extension API servers: a message that comes twice is
    one message."""
    theirs = joined({}, {}, parts).definitions
    return _own(registry) + b"".join(block(_DEFINITIONS, _foreign(name, each)) for name, each in theirs.items())


def _foreign(name: str, definition: Obj) -> bytes:
    """Of what is not written as Kubernetes writes it only the name."""
    try:
        return named_schemas([(name, definition)])
    except (AttributeError, KeyError, TypeError) as error:
        log.debug("the OpenAPI definition %s cannot be encoded: %r", name, error)
        return named_schemas([(name, {})])


def _own(registry: Registry) -> bytes:
    generation, compressed = _kept.get(registry, (-1, b""))
    if generation == registry.generation:
        return zlib.decompress(compressed)
    made = _document(registry)
    _kept[registry] = (registry.generation, zlib.compress(made, 3))
    return made


def _document(registry: Registry) -> bytes:
    roots = [name for kind in registry.kinds() for name in definitions_of(kind)]
    dialect = Dialect(v3=False)
    definitions = {**encoded_closure(roots, dialect), **custom_schemas(registry.kinds(), dialect)}
    schemas = ((name, orjson.loads(orjson.dumps(encoded))) for name, encoded in definitions.items())
    info = _text(1, "Kubernetes") + _text(2, "v1.36.0")
    return _text(_SWAGGER, "2.0") + block(_INFO, info) + block(_DEFINITIONS, named_schemas(schemas))


def named_schemas(schemas: Iterable[tuple[str, Obj]]) -> bytes:
    """The body of `Definitions` and `Properties`, which are alike."""
    return b"".join(block(1, _text(1, name) + block(2, schema(each))) for name, each in schemas)


def schema(value: Obj) -> bytes:
    """The body of a `Schema`."""
    parts = [_text(number, value[name]) for name, number in _STRINGS.items() if value.get(name)]
    if "default" in value:
        parts.append(block(_DEFAULT, _any(value["default"])))
    parts += [_text(_REQUIRED, name) for name in value.get("required") or ()]
    parts += [block(_ENUM, _any(each)) for each in value.get("enum") or ()]
    additional = value.get("additionalProperties")
    if isinstance(additional, dict):
        parts.append(block(_ADDITIONAL, block(1, schema(additional))))
    if "type" in value:
        types = value["type"] if isinstance(value["type"], list) else [value["type"]]
        parts.append(block(_TYPE, b"".join(_text(1, each) for each in types)))
    if "items" in value:
        parts.append(block(_ITEMS, block(1, schema(value["items"]))))
    parts += [block(_ALL_OF, schema(each)) for each in value.get("allOf") or ()]
    if value.get("properties"):
        parts.append(block(_PROPERTIES, named_schemas(value["properties"].items())))
    extensions = ((name, each) for name, each in value.items() if name.startswith("x-"))
    parts += [block(_EXTENSION, _text(1, name) + block(2, _any(each))) for name, each in extensions]
    return b"".join(parts)


def _any(value: Any) -> bytes:
    """The body of an `Any`: its YAML text, for which JSON will do."""
    return block(2, orjson.dumps(value))


def _text(number: int, text: str) -> bytes:
    return block(number, text.encode())
