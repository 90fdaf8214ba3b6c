"""Definitions compiled for the hot path: what a value must look like, and a quick predicate that says it does.

A `Shape` is a tree (a graph where types recur) of structs, maps, lists and scalars. `Shape.clean` answers "nothing to
prune, convert or refuse here" without building paths, at dictionary-iteration speed; only when it says no does
`pruning` walk the shape slowly to say where and why. Shapes are compiled lazily, per definition, and shared.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from skerry.kube import openapi_definitions as definitions
from skerry.kube.objects import Obj
from skerry.kube.quantities import canonical
from skerry.kube.records import record

Clean = Callable[[Any], Any]
"""The predicate. A plain class (`str`, `bool`) stands for "exactly of this type", which callers test inline."""

INT_LIMITS = {"int32": 2**31, "int64": 2**63}
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$")


@record
class MergeRule:
    """How strategic merge patch treats a field: patch strategies ("merge", "replace", "retainKeys"), merge key."""

    strategies: frozenset[str]
    key: str = ""


NO_RULE = MergeRule(frozenset())


@dataclass(slots=True)
class Shape:
    """`type`: struct, map, list, string, bytes, time, boolean, int32, int64, double, quantity, intstr, object, any.
    `name` is the Go name of a struct ("PodSpec"), used in messages."""

    type: str
    clean: Clean
    name: str = ""
    fields: dict[str, Shape] = field(default_factory=dict)
    rules: dict[str, MergeRule] = field(default_factory=dict)
    items: Shape | None = None

    @property
    def go_type(self) -> str:
        """The Go type as json.UnmarshalTypeError prints it: "int32", "[]v1.Container", "map[string]string"."""
        if self.type in ("list", "map"):
            return ("[]" if self.type == "list" else "map[string]") + (self.items.go_type if self.items else "")
        names = {"struct": self.name, "boolean": "bool", "double": "float64", "bytes": "[]uint8"}
        return names.get(self.type, self.type if self.type in INT_LIMITS else "string")


def _limited(limit: int) -> Clean:
    return lambda value: type(value) is int and -limit <= value < limit


def _is_time(value: Any) -> bool:
    if type(value) is not str or not _TIME.match(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_base64(value: Any) -> bool:
    if type(value) is not str:
        return False
    try:
        binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_quantity(value: Any) -> bool:
    try:
        return type(value) is str and canonical(value) == value
    except ValueError:
        return False


_SCALARS: dict[str, Clean] = {
    "string": str, "boolean": bool, "object": dict, "any": lambda value: value is not None,
    "double": lambda value: type(value) in (int, float), "intstr": lambda value: type(value) in (int, str),
    "int32": _limited(2**31), "int64": _limited(2**63), "bytes": _is_base64, "time": _is_time,
    "quantity": _is_quantity,
}  # fmt: skip
SCALARS = {name: Shape(name, clean) for name, clean in _SCALARS.items()}

_PACKAGE = "io.k8s.apimachinery.pkg."
_JSON_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON"
_SPECIAL = {
    f"{_PACKAGE}api.resource.Quantity": "quantity", f"{_PACKAGE}util.intstr.IntOrString": "intstr",
    f"{_PACKAGE}apis.meta.v1.Time": "time", f"{_PACKAGE}apis.meta.v1.MicroTime": "time",
    f"{_PACKAGE}apis.meta.v1.FieldsV1": "object", f"{_PACKAGE}runtime.RawExtension": "object",
    _JSON_SCHEMA: "any", f"{_JSON_SCHEMA}SchemaPropsOrArray": "any", f"{_JSON_SCHEMA}SchemaPropsOrBool": "any",
    f"{_JSON_SCHEMA}SchemaPropsOrStringArray": "any",
}  # fmt: skip
OBJECT_META = f"{_PACKAGE}apis.meta.v1.ObjectMeta"

_compiled: dict[str, Shape] = {}


def shape_of(definition: str) -> Shape:
    """The compiled shape of a definition; "" gives that of an object with nothing known but its metadata."""
    if not definition:
        return _untyped()
    shape = _compiled.get(definition)
    if shape is None:
        special = _SPECIAL.get(definition)
        shape = SCALARS[special] if special else _compile_definition(definition)
        _compiled[definition] = shape
    return shape


def _untyped() -> Shape:
    shape = _compiled.get("")
    if shape is None:
        known = {"apiVersion": SCALARS["string"], "kind": SCALARS["string"], "metadata": shape_of(OBJECT_META)}
        checks = {name: known.clean for name, known in known.items()}
        shape = _compiled[""] = Shape("open", _struct_clean(checks, closed=False), "", known)
    return shape


def _compile_definition(name: str) -> Shape:
    version, _, short = name.rpartition(".")
    shape = Shape("struct", dict, f"{version.rpartition('.')[2]}.{short}")
    checks: dict[str, Clean] = {}
    shape.clean = _struct_clean(checks)
    _compiled[name] = shape  # before its fields: definitions recur (JSONSchemaProps)
    for key, schema in (definitions.load(name).get("properties") or {}).items():
        shape.fields[key] = compiled = compile_schema(schema)
        checks[key] = compiled.clean
        rule = _rule(schema)
        if rule is not NO_RULE:
            shape.rules[key] = rule
    return shape


def compile_schema(schema: Obj) -> Shape:
    """The shape of a property's schema."""
    reference = definitions.referenced(schema)
    if reference is not None:
        return shape_of(reference)
    kind = _plain_type(schema)
    if kind == "array":
        items = compile_schema(schema["items"])
        return Shape("list", _list_clean(items.clean), items=items)
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        items = compile_schema(schema["additionalProperties"])
        return Shape("map", _map_clean(items.clean), items=items)
    return SCALARS[_scalar(kind, schema.get("format", ""))]


def _plain_type(schema: Obj) -> str:
    kinds = schema.get("type", "any")
    return str(next(kind for kind in kinds if kind != "null") if isinstance(kinds, list) else kinds)


def _scalar(kind: str, form: str) -> str:
    if kind == "integer":
        return form if form in INT_LIMITS else "int64"
    if kind == "number":
        return "double"
    return {"byte": "bytes", "date-time": "time"}.get(form, kind)


def _rule(schema: Obj) -> MergeRule:
    strategies = schema.get("x-kubernetes-patch-strategy", "")
    if not strategies:
        return NO_RULE
    return MergeRule(frozenset(strategies.split(",")), schema.get("x-kubernetes-patch-merge-key", ""))


def _struct_clean(checks: dict[str, Clean], *, closed: bool = True) -> Clean:
    def clean(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for key, item in value.items():
            check = checks.get(key)
            if type(item) is check:
                continue
            if check is None:
                if closed:
                    return False
            elif type(check) is type or not check(item):
                return False
        return True

    return clean


def _list_clean(check: Clean) -> Clean:
    exact = type(check) is type

    def clean(value: Any) -> bool:
        if type(value) is not list:
            return False
        for item in value:  # noqa: SIM110 - a generator costs twice as much
            if type(item) is not check and (exact or not check(item)):
                return False
        return True

    return clean


def _map_clean(check: Clean) -> Clean:
    exact = type(check) is type

    def clean(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for item in value.values():  # noqa: SIM110
            if type(item) is not check and (exact or not check(item)):
                return False
        return True

    return clean
