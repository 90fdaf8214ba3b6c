"""What a definition's schema may say. Source: `ValidateCustomResourceDefinitionOpenAPISchema` and what it calls.

Neighbours: `structural_rules` (structure), `default_rules` (defaults), `list_rules` (list and map types), `rule_rules`
(CEL). A schema that was there before is not looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from skerry.engine.schema.causes import forbidden, invalid, not_supported
from skerry.engine.schema.custom.default_rules import check_defaults
from skerry.engine.schema.custom.list_rules import check_lists
from skerry.engine.schema.custom.structural import META_FIELDS, compile_node
from skerry.engine.schema.custom.structural_rules import check_structural
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.records import record

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_AT_ROOT = (
    "description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "required", "items", "properties",
    "externalDocs", "example", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations",
)  # fmt: skip
_REFUSED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_GO_NAMES = {
    "x-kubernetes-preserve-unknown-fields": "XPreserveUnknownFields", "x-kubernetes-validations": "XValidations",
}  # fmt: skip


@record
class Where:
    """Where in a schema we are. `no_defaults`: why defaults are forbidden; `uncorrelated`: the path above which old and
    new values cannot be told to belong together."""

    path: str
    is_root: bool = False
    in_metadata: bool = False
    no_defaults: str = ""
    uncorrelated: str = ""
    structural: bool = True
    """Not below allOf, anyOf, oneOf, not."""

    def at(self, part: str) -> Where:
        """One step down."""
        return replace(self, path=f"{self.path}.{part}", is_root=False)


def check_schema(schema: Obj, path: str, known: Obj | None, *, has_status: bool) -> Iterator[Cause]:
    """What is wrong with a version's `openAPIV3Schema`. `known`: that of the same version before."""
    if schema == known:
        return
    causes = list(_check_root(schema, path, has_status=has_status))
    structural = list(check_structural(schema, path)) or list(check_defaults(compile_node(schema), schema, path))
    where = Where(path, is_root=True)
    standard = list(_check_node(schema, where))
    yield from [*causes, *structural, *standard]
    if not structural and not standard:
        from skerry.engine.schema.custom.rule_rules import check_rules_of, has_rules

        if has_rules(schema):
            yield from check_rules_of(schema, path)


def _check_root(schema: Obj, path: str, *, has_status: bool) -> Iterator[Cause]:
    if has_status:
        if schema.get("type") != "object":
            why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
            yield invalid(f"{path}.type", schema.get("type", ""), why)
        elif any(value and key not in _AT_ROOT for key, value in schema.items()):
            allowed = " ".join(_GO_NAMES.get(name, name[0].upper() + name[1:]) for name in _AT_ROOT)
            why = f"only [{allowed}] fields are allowed at the root of the schema if the status subresource is enabled"
            yield invalid(path, schema, why)
    if schema.get("nullable"):
        yield forbidden(f"{path}.nullable", "nullable cannot be true at the root")


def _check_node(schema: Any, where: Where) -> Iterator[Cause]:
    """One schema and all below it."""
    if not isinstance(schema, dict):
        return
    yield from _check_standard(schema, where)
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{where.path}.uniqueItems", why)
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        yield invalid(f"{where.path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    yield from check_lists(schema, where.path)
    yield from _check_rule_texts(schema, where)
    yield from _check_below(schema, where)


def _check_standard(schema: Obj, where: Where) -> Iterator[Cause]:
    kind = schema.get("type") or ""
    if kind == "null":
        yield forbidden(f"{where.path}.type", "type cannot be set to null, use nullable as an alternative")
    if kind and kind not in _TYPES:
        yield not_supported(f"{where.path}.type", kind, _TYPES)
    if schema.get("default") is not None and where.no_defaults:
        yield forbidden(f"{where.path}.default", f"must not be set {where.no_defaults}")
    for name in _REFUSED:
        if schema.get(name):
            yield forbidden(f"{where.path}.{name}", f"{name} is not supported")
    if isinstance(schema.get("items"), list):
        yield forbidden(f"{where.path}.items", "items must be a schema object and not an array")
    if where.in_metadata and schema.get("x-kubernetes-embedded-resource"):
        yield forbidden(f"{where.path}.x-kubernetes-embedded-resource", "must not be used inside of resource meta")


def _check_below(schema: Obj, where: Where) -> Iterator[Cause]:
    additional, properties = schema.get("additionalProperties"), schema.get("properties") or {}
    if additional is not None:
        if properties and additional is not True:
            why = "additionalProperties and properties are mutual exclusive"
            yield forbidden(f"{where.path}.additionalProperties", why)
        below = where.at("additionalProperties")
        if where.in_metadata:
            below = replace(below, no_defaults="inside additionalProperties applying to object metadata")
        yield from _check_node(additional, below)
    for name, each in properties.items():
        yield from _check_node(each, _property(schema, where, name))
    for junctor in ("allOf", "oneOf", "anyOf"):
        for index, each in enumerate(schema.get(junctor) or ()):
            yield from _check_node(each, replace(where.at(f"{junctor}[{index}]"), structural=False))
    yield from _check_node(schema.get("not"), replace(where.at("not"), structural=False))
    yield from _check_node(schema.get("items"), where.at("items"))


def _property(schema: Obj, where: Where, name: str) -> Where:
    below = where.at(f"properties[{name}]")
    if name in META_FIELDS and (where.is_root or schema.get("x-kubernetes-embedded-resource")):
        below = replace(below, in_metadata=True)
        if where.is_root:
            below = replace(below, no_defaults=f"in top-level {name}")
    return below


_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")


def _check_rule_texts(schema: Obj, where: Where) -> Iterator[Cause]:
    """The form of CEL rules; whether they compile is asked when nothing else is wrong."""
    from skerry.engine.schema.causes import required

    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        field = f"{where.path}.x-kubernetes-validations[{index}]"
        text, message, expression = (rule.get(part) or "" for part in ("rule", "message", "messageExpression"))
        if not text.strip():
            yield required(f"{field}.rule", "rule is not specified")
        elif message and not message.strip():
            yield invalid(f"{field}.message", message, "must be non-empty if specified")
        elif _breaks(message.strip()):
            yield invalid(f"{field}.message", message, "must not contain line breaks")
        elif _breaks(text.strip()) and not message.strip():
            yield required(f"{field}.message", "message must be specified if rule contains line breaks")
        if expression and not expression.strip():
            yield required(f"{field}.messageExpression", "messageExpression must be non-empty if specified")
        reason, path = rule.get("reason"), rule.get("fieldPath") or ""
        if reason is not None and reason not in _REASONS:
            yield not_supported(f"{field}.reason", reason, _REASONS)
        if path:
            yield from _check_field_path(schema, path, f"{field}.fieldPath")


def _check_field_path(schema: Obj, path: str, field: str) -> Iterator[Cause]:
    from skerry.engine.schema.custom.field_paths import FieldPathError, parse_field_path

    if not path.strip():
        yield invalid(field, path, "must be non-empty if specified")
    if _breaks(path):
        yield invalid(field, path, "must not contain line breaks")
    try:
        parse_field_path(path, compile_node(schema))
    except FieldPathError:
        yield invalid(field, path, "must be a valid path")


def _breaks(text: str) -> bool:
    return "\n" in text or "\r" in text
