"""A kind of the platform, and the CustomResourceDefinition it comes to.

The schema is pydantic's JSON schema made structural: references resolved, `null` alternatives and titles gone.
Source of the rules: kubernetes.io, "Specifying a structural schema".
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from skerry.kube.objects import Obj, Resource
from skerry.kube.records import record
from skerry.platform.base.model import Model

GROUP, VERSION = "skerry.dev", "v1alpha1"
_DROPPED = ("title", "discriminator", "const")
_CONDITIONS: Obj = {
    "type": "array",
    "description": "What is the case; `Ready` says what to do next.",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
    "items": {
        "type": "object",
        "required": ["type", "status"],
        "properties": {
            "type": {"type": "string"},
            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "reason": {"type": "string"},
            "message": {"type": "string"},
            "lastTransitionTime": {"type": "string", "format": "date-time"},
            "observedGeneration": {"type": "integer", "format": "int64"},
        },
    },
}


@record
class Column:
    """One that `kubectl get` shows. `type`: string, integer, number, boolean, date; `priority` 1: only with -o wide."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


READY = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')
REASON = Column("Reason", '.status.conditions[?(@.type=="Ready")].reason')
AGE = Column("Age", ".metadata.creationTimestamp", "date")


@record
class Kind:
    """What a resource of the platform is."""

    resource: Resource
    spec: type[Model]
    status: type[Model] | None = None
    """Its fields beside `conditions` and `observedGeneration`, which every status has."""
    columns: tuple[Column, ...] = (READY, REASON, AGE)
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ("skerry",)
    description: str = ""
    rules: tuple[Obj, ...] = field(default=())
    """CEL rules (`x-kubernetes-validations`) over the whole object."""


def resource_of(plural: str, kind: str, *, namespaced: bool) -> Resource:
    """A resource of the platform's own group."""
    return Resource(GROUP, VERSION, plural, kind, namespaced)


def definition(kind: Kind) -> Obj:
    """The CustomResourceDefinition."""
    resource = kind.resource
    names: Obj = {
        "plural": resource.plural,
        "singular": resource.kind.lower(),
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
        "shortNames": list(kind.short_names),
        "categories": list(kind.categories),
    }
    version: Obj = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(one) for one in kind.columns],
        "schema": {"openAPIV3Schema": _whole(kind)},
    }
    scope = "Namespaced" if resource.namespaced else "Cluster"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {"group": resource.group, "names": names, "scope": scope, "versions": [version]},
    }


def _column(one: Column) -> Obj:
    return {"name": one.name, "type": one.type, "jsonPath": one.path, "priority": one.priority}


def _whole(kind: Kind) -> Obj:
    status: Obj = schema_of(kind.status) if kind.status else {"type": "object"}
    more = {"conditions": _CONDITIONS, "observedGeneration": {"type": "integer", "format": "int64"}}
    whole: Obj = {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "properties": {
            "spec": schema_of(kind.spec),
            "status": {**status, "properties": {**status.get("properties", {}), **more}},
        },
    }
    return {**whole, "x-kubernetes-validations": list(kind.rules)} if kind.rules else whole


def schema_of(model: type[Model]) -> Obj:
    """A model's structural schema."""
    made = model.model_json_schema(by_alias=True)
    return _structural(made, made.get("$defs", {}))


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(one) for key, one in value.items() if one is not None}
    return value


def _structural(schema: Obj, known: Obj) -> Obj:
    if "$ref" in schema:
        named: Obj = known[schema["$ref"].rpartition("/")[2]]
        return _structural({**named, **_without(schema, "$ref")}, known)
    if "anyOf" in schema:
        only: Obj = next(one for one in schema["anyOf"] if one != {"type": "null"})
        return _structural({**only, **_without(schema, "anyOf")}, known)
    return _keywords(schema, known)


def _without(schema: Obj, *keywords: str) -> Obj:
    return {key: value for key, value in schema.items() if key not in keywords}


def _keywords(schema: Obj, known: Obj) -> Obj:
    kept = _without(schema, "$defs", *_DROPPED)
    if "default" in kept:
        kept["default"] = _without_null(kept["default"])
        if kept["default"] is None:
            del kept["default"]
    if "const" in schema:
        kept["enum"] = [schema["const"]]
    if kept.get("x-kubernetes-int-or-string"):
        kept.pop("type", None)  # of the two, `pattern` is about texts, `minimum` about numbers
    if kept.get("additionalProperties") is False or kept.get("x-kubernetes-preserve-unknown-fields"):
        kept.pop("additionalProperties", None)
    if "properties" in kept:
        kept["properties"] = {name: _structural(one, known) for name, one in kept["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(kept.get(key), dict):
            kept[key] = _structural(kept[key], known)
    return kept
