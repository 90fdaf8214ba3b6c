"""Definitions as OpenAPI wants them: one type each (no "null"), references in the dialect's form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from skerry.kube import openapi_definitions as definitions
from skerry.kube.objects import Obj
from skerry.kube.records import record

_OPAQUE: dict[str, Obj] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "string", "format": "int-or-string"},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
}
_OPAQUE_V3: dict[str, Obj] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
    },
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
}  # fmt: skip
_KEPT = ("description", "format", "required")


@record
class Dialect:
    """OpenAPI 2 or 3: where definitions are, and whether a reference may have siblings."""

    v3: bool

    @property
    def prefix(self) -> str:
        """What definition names follow in references."""
        return "#/components/schemas/" if self.v3 else "#/definitions/"

    def reference(self, name: str) -> Obj:
        """A bare reference to a definition."""
        return {"$ref": self.prefix + name}

    def opaque(self, name: str) -> Obj | None:
        """The whole schema of the types that are a string or a number."""
        return (_OPAQUE_V3 if self.v3 else _OPAQUE).get(name)


def encoded_closure(roots: Iterable[str], dialect: Dialect) -> dict[str, orjson.Fragment]:
    """The definitions that the roots need, each encoded at once so that no large document is ever decoded."""
    found: dict[str, orjson.Fragment] = {}
    waiting = list(dict.fromkeys(roots))
    known = set(waiting)
    while waiting:
        name = waiting.pop()
        references: set[str] = set()
        schema = _converted(definitions.load(name), dialect, references)
        opaque = dialect.opaque(name)
        if opaque is not None:
            schema = {**schema, **opaque}
        found[name] = orjson.Fragment(orjson.dumps(schema))
        waiting += references - known
        known |= references
    return dict(sorted(found.items()))


def _converted(schema: Obj, dialect: Dialect, references: set[str]) -> Obj:
    converted: Obj = {key: value for key, value in schema.items() if key in _KEPT or key.startswith("x-kubernetes-")}
    kind = _plain_type(schema)
    if kind:
        converted["type"] = kind
    if "properties" in schema:
        properties = schema["properties"]
        converted["properties"] = {name: _converted(below, dialect, references) for name, below in properties.items()}
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            converted[part] = _converted(schema[part], dialect, references)
    target = definitions.referenced(schema)
    if target is not None:
        references.add(target)
        converted = _with_reference(converted, dialect.reference(target), dialect)
    return converted


def _plain_type(schema: Obj) -> Any:
    kinds = schema.get("type")
    return next((kind for kind in kinds if kind != "null"), None) if isinstance(kinds, list) else kinds


def _with_reference(beside: Obj, reference: Obj, dialect: Dialect) -> Obj:
    """In OpenAPI 3 what stands beside `$ref` is ignored: `allOf` keeps the property's own description."""
    if dialect.v3 and beside:
        return {**beside, "allOf": [reference]}
    return {**beside, **reference}
