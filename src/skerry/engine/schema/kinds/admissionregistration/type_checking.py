"""What a ValidatingAdmissionPolicy's expressions look like when `object` has the type of the kinds it matches.

Compiling takes `object` as dynamic; here it is checked against the schema of each kind a rule names in full, and what
does not fit becomes a warning in `status.typeChecking`. Source:
`apiserver/pkg/admission/plugin/policy/validating/typechecking.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from skerry.engine.cel.contract import CompileError, Structural, compile_expression
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.kinds.admissionregistration.expressions import Variables
from skerry.kube import openapi_definitions as definitions
from skerry.kube.objects import Obj

_MOST_KINDS = 10
_DEEPEST = 12
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"


def type_checked(policy: Obj, kinds: Iterable[Kind]) -> Obj:
    """The value of `status.typeChecking`, where these kinds are served."""
    spec = policy.get("spec") or {}
    names = set(_named_resources(spec))
    if not names:
        return {}
    matched = [kind for kind in kinds if _identity(kind.resource) in names and (kind.schema or kind.definition)]
    shapes = {f"{kind.resource.api_version}, Kind={kind.resource.kind}": _shape(kind) for kind in matched[:_MOST_KINDS]}
    warnings = [
        {"fieldRef": field, "warning": "\n".join(found)}
        for field, source in _expressions(spec)
        if (found := list(_problems(spec, source, shapes)))
    ]
    return {"expressionWarnings": warnings} if warnings else {}


def _identity(resource: Any) -> tuple[str, str, str]:
    return resource.group, resource.version, resource.plural


def _named_resources(spec: Obj) -> Iterator[tuple[str, str, str]]:
    """Group, version and plural of what rules name without wildcards and subresources."""
    for rule in (spec.get("matchConstraints") or {}).get("resourceRules") or ():
        for group in rule.get("apiGroups") or ():
            for version in rule.get("apiVersions") or ():
                for resource in rule.get("resources") or ():
                    if "*" not in group + version + resource and "/" not in resource:
                        yield group, version, resource


def _expressions(spec: Obj) -> Iterator[tuple[str, str]]:
    for index, validation in enumerate(spec.get("validations") or ()):
        yield f"spec.validations[{index}].expression", validation.get("expression") or ""
        if validation.get("messageExpression"):
            yield f"spec.validations[{index}].messageExpression", validation["messageExpression"]


def _problems(spec: Obj, source: str, shapes: Mapping[str, Structural]) -> Iterator[str]:
    variables = Variables(params=spec.get("paramKind") is not None, authorizer=True, namespace=True)
    for variable in spec.get("variables") or ():
        # untyped, or every policy that composes would be compiled once a kind and variable
        variables = variables.dynamic(variable.get("name") or "")
    for kind, shape in shapes.items():
        declared = {**variables.declared(), "object": shape, "oldObject": shape}
        try:
            compile_expression(source, declared)
        except CompileError as error:
            yield f"{kind}: {error}"


def _shape(kind: Kind) -> Structural:
    if kind.schema is not None:
        return Structural(kind.schema(), resource=True)
    definition = kind.definition
    return Structural(_resolved(definitions.load(definition), frozenset({definition})), name=definition)


def _resolved(schema: Obj, within: frozenset[str]) -> Obj:
    """The schema with its references followed; what contains itself is dynamic."""
    reference = definitions.referenced(schema)
    if reference is not None:
        if reference in within or len(within) > _DEEPEST:
            return {}
        if reference == _QUANTITY:
            return {"x-kubernetes-int-or-string": True}
        return _resolved(definitions.load(reference), within | {reference})
    kind = schema.get("type")
    plain = next((one for one in kind if one != "null"), "") if isinstance(kind, list) else kind or ""
    found: Obj = {"type": plain}
    if schema.get("format") == "int-or-string":
        return {"x-kubernetes-int-or-string": True}
    if schema.get("format") in ("date-time", "byte"):
        found["format"] = schema["format"]
    if "properties" in schema:
        found["properties"] = {name: _resolved(below, within) for name, below in schema["properties"].items()}
    if isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = _resolved(schema["additionalProperties"], within)
    if isinstance(schema.get("items"), dict):
        found["items"] = _resolved(schema["items"], within)
    if plain == "object" and len(found) == 1:
        found["x-kubernetes-preserve-unknown-fields"] = True
    return found
