"""Schemas to merge types: Kubernetes' definitions, and the OpenAPI v3 schemas of custom resources.

What merges is said by `x-kubernetes-list-type`, `-list-map-keys`, `-map-type` and `-preserve-unknown-fields`; lists are
atomic unless they say otherwise. Types are compiled once, when first needed, and shared. Source: kube-openapi
`pkg/schemaconv`, and for `zeros` the Go types in k8s.io/api.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from skerry.engine.schema.contract import Kind
from skerry.engine.schema.managed.types import DEDUCED, LEAF, OPEN, Atomic, Fields, List, Scalar, Type
from skerry.engine.schema.shapes import OBJECT_META
from skerry.kube import openapi_definitions as definitions
from skerry.kube.objects import Obj

_PACKAGE = "io.k8s.apimachinery.pkg."
_API = "io.k8s.api."
_JSON = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON"
_NUMERIC, _STRING, _BOOLEAN, _UNTYPED = (Scalar(name) for name in ("numeric", "string", "boolean", "untyped"))
_SPECIAL: dict[str, Type] = {
    f"{_PACKAGE}api.resource.Quantity": _UNTYPED, f"{_PACKAGE}util.intstr.IntOrString": _UNTYPED,
    f"{_PACKAGE}apis.meta.v1.Time": _UNTYPED, f"{_PACKAGE}apis.meta.v1.MicroTime": _UNTYPED,
    f"{_PACKAGE}apis.meta.v1.FieldsV1": LEAF, f"{_PACKAGE}runtime.RawExtension": LEAF,
    _JSON: DEDUCED, f"{_JSON}SchemaPropsOrArray": DEDUCED, f"{_JSON}SchemaPropsOrBool": DEDUCED,
    f"{_JSON}SchemaPropsOrStringArray": DEDUCED,
}  # fmt: skip
_BY_VALUE = {
    "apps.v1.DaemonSetSpec": ("updateStrategy",), "apps.v1.DeploymentSpec": ("strategy",),
    "apps.v1.ReplicaSetSpec": ("template",), "apps.v1.StatefulSetSpec": ("updateStrategy",),
    "core.v1.Container": ("resources",), "core.v1.EphemeralContainer": ("resources",),
    "core.v1.ContainerStatus": ("state", "lastState"), "core.v1.Event": ("source",),
    "core.v1.NodeDaemonEndpoints": ("kubeletEndpoint",), "core.v1.NodeStatus": ("daemonEndpoints", "nodeInfo"),
    "core.v1.PersistentVolumeClaimSpec": ("resources",), "core.v1.PodTemplate": ("template",),
    "core.v1.ServiceStatus": ("loadBalancer",), "discovery.v1.Endpoint": ("conditions",),
    "events.v1.Event": ("deprecatedSource", "regarding"), "networking.v1.IngressServiceBackend": ("port",),
    "networking.v1.IngressStatus": ("loadBalancer",),
}  # fmt: skip
"""Optional structs that Go holds by value, beside `metadata`, `spec` and `status`: nobody ever adds or removes them."""
_ALWAYS = ("metadata", "spec", "status")
_KEY_DEFAULTS = {f"{_API}core.v1.{name}": {"protocol": "TCP"} for name in ("ContainerPort", "ServicePort")}
"""Defaults of keys, which the definitions leave out."""
_GO_ZEROS: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}

_named: dict[str, Type] = {}


def type_of(kind: Kind) -> Fields:
    """The merge type of a kind's objects."""
    if kind.schema is not None:
        return _custom(kind.schema)
    found = of_definition(kind.definition) if kind.definition else OPEN
    assert isinstance(found, Fields)
    return found


@lru_cache(maxsize=512)
def _custom(schema: Callable[[], Obj]) -> Fields:
    return of_custom_resource(schema())


def of_custom_resource(schema: Obj) -> Fields:
    """The merge type of a custom resource from its `openAPIV3Schema` ({}: nothing is known of it)."""
    compiled = _Compiler().inline({"type": "object", **schema})
    assert isinstance(compiled, Fields)
    for name in ("apiVersion", "kind"):
        compiled.declared[name] = (f"f:{name}", _STRING)
    compiled.lasting = False
    compiled.declared["metadata"] = ("f:metadata", of_definition(OBJECT_META))
    return compiled


def of_definition(name: str) -> Type:
    """The merge type of a definition ("io.k8s.api.core.v1.Pod")."""
    known = _SPECIAL.get(name) or _named.get(name)
    if known is not None:
        return known
    schema = definitions.load(name)
    fields = Fields()
    _named[name] = Atomic(fields) if schema.get("x-kubernetes-map-type") == "atomic" else fields
    _Compiler(name).fill(fields, schema)  # after it is known: definitions recur
    return _named[name]


class _Compiler:
    """Compiles one schema. `definition`: the name of what is compiled, "" for a custom resource's schema."""

    def __init__(self, definition: str = "", *, preserve: bool = False) -> None:
        self._definition = definition
        self._preserve = preserve

    def inline(self, schema: Obj) -> Type:
        """The type of a schema, references followed."""
        reference = definitions.referenced(schema)
        if reference is not None:
            return _related(of_definition(reference), schema.get("x-kubernetes-map-type", ""))
        inner = _Compiler(preserve=self._preserve or schema.get("x-kubernetes-preserve-unknown-fields") is True)
        kind = _plain_type(schema)
        if kind == "array":
            return inner._list(schema)
        if kind == "object":
            fields = Fields()
            inner.fill(fields, schema)
            return Atomic(fields) if schema.get("x-kubernetes-map-type") == "atomic" else fields
        if not kind:
            return inner._any(schema)
        return _scalar(kind, schema.get("format", ""))

    def fill(self, fields: Fields, schema: Obj) -> None:
        """Declare what an object's schema says."""
        if schema.get("x-kubernetes-embedded-resource"):
            fields.declared |= {name: (f"f:{name}", _STRING) for name in ("apiVersion", "kind")}
            fields.declared["metadata"] = ("f:metadata", of_definition(OBJECT_META))
        required = set(schema.get("required") or ()) if self._definition else set()
        for name, below in (schema.get("properties") or {}).items():
            kind = self.inline(below)
            fields.declared.setdefault(name, (f"f:{name}", kind))
            if self._definition:
                self._note_zero(fields, name, below, kind, required=name in required)
        fields.rest = self._rest(schema)
        fields.flat = not fields.declared and isinstance(fields.rest, Scalar | Atomic)

    def _rest(self, schema: Obj) -> Type | None:
        additional = schema.get("additionalProperties")
        if isinstance(additional, dict):
            return self.inline(additional)
        if additional is None:
            return DEDUCED if self._preserve or not schema.get("properties") else None
        return DEDUCED if additional else None

    def _note_zero(self, fields: Fields, name: str, schema: Obj, kind: Type, *, required: bool) -> None:
        struct = isinstance(kind, Fields | Atomic) and "$ref" in schema
        if struct and (required or name in _ALWAYS or name in _BY_VALUE.get(self._definition.removeprefix(_API), ())):
            fields.zeros[name] = {}
        elif required and "$ref" not in schema:
            fields.zeros[name] = _GO_ZEROS.get(_plain_type(schema))

    def _list(self, schema: Obj) -> Type:
        items = schema.get("items") or {}
        below = self.inline(items) if items else DEDUCED
        relation, keys = _relation(schema)
        if relation == "atomic":
            return Atomic(List(below, (), {}))
        return List(below, keys, _key_defaults(items, keys))

    def _any(self, schema: Obj) -> Type:
        """No type said: whatever it is. What its properties say holds when it is an object."""
        if not schema.get("properties"):
            return DEDUCED
        fields = Fields()
        self.fill(fields, schema)
        return fields


def _related(kind: Type, relation: str) -> Type:
    """A named type as the field that refers to it wants it merged."""
    if relation == "atomic" and isinstance(kind, Fields):
        return Atomic(kind)
    if relation in ("granular", "separable") and isinstance(kind, Atomic):
        return kind.shape
    return kind


def _relation(schema: Obj) -> tuple[str, tuple[str, ...]]:
    relation = schema.get("x-kubernetes-list-type")
    if relation == "map":
        return "map", tuple(schema.get("x-kubernetes-list-map-keys") or ())
    if relation is not None:
        return ("set" if relation == "set" else "atomic"), ()
    if "merge" in schema.get("x-kubernetes-patch-strategy", "").split(","):
        key = schema.get("x-kubernetes-patch-merge-key")
        return ("map", (key,)) if key else ("set", ())
    return "atomic", ()


def _key_defaults(items: Obj, keys: tuple[str, ...]) -> dict[str, Any]:
    """What a key reads as where an item leaves it out."""
    reference = definitions.referenced(items)
    if reference is None:
        found = {key: (items.get("properties") or {}).get(key, {}).get("default") for key in keys}
        return {key: default for key, default in found.items() if default is not None}
    schema = definitions.load(reference)
    properties, required = schema["properties"], schema.get("required") or ()
    zeros = {key: _GO_ZEROS[_plain_type(properties[key])] for key in keys if key in required}
    return zeros | {key: given for key, given in _KEY_DEFAULTS.get(reference, {}).items() if key in keys}


def _plain_type(schema: Obj) -> str:
    kinds = schema.get("type", "")
    return str(next(kind for kind in kinds if kind != "null") if isinstance(kinds, list) else kinds)


def _scalar(kind: str, form: str) -> Type:
    if kind in ("integer", "number"):
        return _NUMERIC
    if kind == "boolean":
        return _BOOLEAN
    return _UNTYPED if form in ("int-or-string", "byte", "date-time") else _STRING
