"""Schemas of custom resources as OpenAPI publishes them. Source: `pkg/controller/openapi/builder` of the apiextensions
server.

Version 3 has a schema as it was written, with the metadata all objects have. Version 2 cannot say some of it: there
what may be null or of two types has no type, and alternatives are left out: clients must not refuse what is valid.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.openapi.schemas import Dialect
from skerry.kube.objects import Obj

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
NEEDED = (f"{_META}.ObjectMeta", f"{_META}.ListMeta")
"""What schemas of custom resources refer to."""
_V2_KEPT = frozenset(
    {
        "description", "type", "format", "title", "required", "enum", "maximum", "minimum", "exclusiveMaximum",
        "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "maxProperties",
        "minProperties", "multipleOf", "default", "externalDocs", "example",
    }
)  # fmt: skip
_KIND = (
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the "
    "endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds"
)
_API_VERSION = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized "
    "schemas to the latest internal value, and may reject unrecognized values. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources"
)


def definition_name(kind: Kind) -> str:
    """The name of a kind's schema: "com.example.v1.Widget" for example.com/v1."""
    if kind.definition:
        return kind.definition
    resource = kind.resource
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def list_name(kind: Kind) -> str:
    """The name of the schema of a kind's lists."""
    return definition_name(kind).rpartition(".")[0] + "." + kind.listed_as


def custom_schemas(kinds: Iterable[Kind], dialect: Dialect) -> dict[str, orjson.Fragment]:
    """The schemas of custom kinds and their lists, encoded."""
    found: dict[str, orjson.Fragment] = {}
    for kind in kinds:
        if kind.schema is not None:
            found[definition_name(kind)] = orjson.Fragment(orjson.dumps(_object(kind, kind.schema(), dialect)))
            found[list_name(kind)] = orjson.Fragment(orjson.dumps(_list(kind, dialect)))
    return found


def _object(kind: Kind, schema: Obj, dialect: Dialect) -> Obj:
    identity = {"x-kubernetes-group-version-kind": [_identity(kind, kind.resource.kind)]}
    if schema.get("x-kubernetes-preserve-unknown-fields") and not dialect.v3:
        return {"type": "object", **identity}  # clients take any property listed for a sign that others are forbidden
    shown: Obj = dict(schema) if dialect.v3 else _plainer(schema)
    properties = {
        "apiVersion": {"description": _API_VERSION, "type": "string"},
        "kind": {"description": _KIND, "type": "string"},
        "metadata": _reference(NEEDED[0], dialect, "Standard object's metadata."),
    }
    shown["type"] = "object"
    shown["properties"] = {**(shown.get("properties") or {}), **properties}
    return {**shown, **identity}


def _list(kind: Kind, dialect: Dialect) -> Obj:
    items = {"description": "List of objects.", "type": "array", "items": dialect.reference(definition_name(kind))}
    return {
        "description": f"{kind.listed_as} is a list of {kind.resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"description": _API_VERSION, "type": "string"},
            "items": items,
            "kind": {"description": _KIND, "type": "string"},
            "metadata": _reference(NEEDED[1], dialect, "Standard list metadata."),
        },
        "x-kubernetes-group-version-kind": [_identity(kind, kind.listed_as)],
    }


def _identity(kind: Kind, name: str) -> Obj:
    return {"group": kind.resource.group, "kind": name, "version": kind.resource.version}


def _reference(name: str, dialect: Dialect, description: str) -> Obj:
    reference = dialect.reference(name)
    return (
        {"description": description, "allOf": [reference]} if dialect.v3 else {"description": description, **reference}
    )


def _plainer(schema: Any) -> Obj:
    """A schema in what OpenAPI 2 can say."""
    kept = {key: value for key, value in schema.items() if key in _V2_KEPT or key.startswith("x-kubernetes-")}
    kept.pop("x-kubernetes-validations", None)
    if schema.get("nullable") or schema.get("x-kubernetes-int-or-string"):
        kept.pop("type", None)
        return kept
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return kept
    if schema.get("properties"):
        kept["properties"] = {name: _plainer(below) for name, below in schema["properties"].items()}
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            kept[part] = _plainer(schema[part])
    return kept
