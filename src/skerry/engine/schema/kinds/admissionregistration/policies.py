"""Admission policies and their bindings: defaults, validation with every expression compiled, type-checking status.

Source: `pkg/apis/admissionregistration/validation/validation.go` and
`apiserver/pkg/admission/plugin/policy/validating/typechecking.go`. Neighbours: `matching`, `expressions`, `mutations`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from skerry.engine.cel.contract import BOOL, DYN, STRING, CelType, CompileError
from skerry.engine.cel.names import is_identifier
from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_supported, required
from skerry.engine.schema.contract import Kind
from skerry.engine.schema.kinds.admissionregistration.expressions import Variables, check_expression, compiled
from skerry.engine.schema.kinds.admissionregistration.matching import (
    FAILURE_POLICIES,
    REINVOCATION_POLICIES,
    check_choice,
    check_match_conditions,
    check_match_resources,
    default_matching,
)
from skerry.engine.schema.kinds.admissionregistration.mutations import check_mutation
from skerry.engine.schema.kinds.admissionregistration.type_checking import type_checked
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.strategies import CountedStrategy, SpecStrategy, set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj, name_of

_ACTIONS = frozenset({"Deny", "Warn", "Audit"})
_REASONS = frozenset({"Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"})
_NOT_FOUND_ACTIONS = frozenset({"Allow", "Deny"})
_MOST_ANNOTATIONS = 20
_RULES = ("resourceRules", "excludeResourceRules")


def _default_policy(obj: Obj) -> None:
    spec = obj.get("spec") or {}
    set_default(spec, "failurePolicy", "Fail")
    if spec.get("matchConstraints") is not None:
        default_matching(spec["matchConstraints"], _RULES)


def _default_binding(obj: Obj) -> None:
    spec = obj.get("spec") or {}
    if spec.get("matchResources") is not None:
        default_matching(spec["matchResources"], _RULES)


class ValidatingPolicyStrategy(SpecStrategy):
    """ValidatingAdmissionPolicy. Its status says what type checking against the matched kinds found. `kinds`: those
    that are served."""

    def __init__(self, kinds: Callable[[], Iterable[Kind]] = tuple) -> None:
        self._kinds = kinds

    def among(self, kinds: Callable[[], Iterable[Kind]]) -> ValidatingPolicyStrategy:
        """One that checks against these."""
        return ValidatingPolicyStrategy(kinds)

    def default(self, obj: Obj) -> None:
        """`SetDefaults_ValidatingAdmissionPolicySpec`."""
        _default_policy(obj)

    def initial_status(self, obj: Obj) -> None:
        """Kubernetes shows an empty status at first, and a controller fills it in; here it is there at once."""
        obj["status"] = {"observedGeneration": 1, "typeChecking": type_checked(obj, self._kinds())}

    def prepare_update(self, new: Obj, old: Obj) -> None:
        """A changed spec is checked again."""
        super().prepare_update(new, old)
        if new["metadata"].get("generation") != old["metadata"].get("generation"):
            checked = type_checked(new, self._kinds())
            status = {"observedGeneration": new["metadata"].get("generation"), "typeChecking": checked}
            new["status"] = {**(old.get("status") or {}), **status}

    def validate(self, obj: Obj) -> list[Cause]:
        """The spec."""
        spec = obj.get("spec") or {}
        variables, causes = check_shared(spec)
        return causes + list(_check_validations(spec, variables)) + list(_check_annotations(obj, spec, variables))


class MutatingPolicyStrategy(CountedStrategy):
    """MutatingAdmissionPolicy."""

    def default(self, obj: Obj) -> None:
        """`SetDefaults_MutatingAdmissionPolicySpec`."""
        _default_policy(obj)

    def validate(self, obj: Obj) -> list[Cause]:
        """The spec."""
        spec = obj.get("spec") or {}
        variables, causes = check_shared(spec)
        causes += check_choice(spec, "reinvocationPolicy", REINVOCATION_POLICIES, "spec")
        if not spec.get("mutations"):
            causes.append(required("spec.mutations", "mutations must contain at least one item"))
        for index, mutation in enumerate(spec.get("mutations") or ()):
            causes += check_mutation(mutation, variables, f"spec.mutations[{index}]")
        return causes


def check_shared(spec: Obj) -> tuple[Variables, list[Cause]]:
    """What both kinds of policies have: the variables their expressions may read, and what is wrong."""
    base = Variables(params=spec.get("paramKind") is not None, authorizer=True, namespace=True)
    causes = list(check_choice(spec, "failurePolicy", FAILURE_POLICIES, "spec"))
    if spec.get("paramKind") is not None:
        causes += _check_param_kind(spec["paramKind"], "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        causes.append(required("spec.matchConstraints"))
    else:
        causes += check_match_resources(constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            causes.append(required("spec.matchConstraints.resourceRules"))
    causes += check_match_conditions(spec.get("matchConditions") or [], base, "spec.matchConditions")
    variables = base
    for index, variable in enumerate(spec.get("variables") or ()):
        causes += _check_variable(variable, variables, f"spec.variables[{index}]")
        variables = with_variable(variables, variable)
    return variables, causes


def with_variable(variables: Variables, variable: Obj) -> Variables:
    """What the expressions after a variable may read; one that does not compile is dynamic to them."""
    name = variable.get("name") or ""
    if not is_identifier(name):
        return variables
    try:
        of = compiled(variable.get("expression") or "", variables).result
    except CompileError:
        of = DYN
    return variables.plus(name, of)


def _check_variable(variable: Obj, variables: Variables, field: str) -> Iterator[Cause]:
    name = (variable.get("name") or "").strip()
    if not name:
        yield required(f"{field}.name", "name is not specified")
    elif not is_identifier(name):
        yield invalid(f"{field}.name", name, "name is not a valid CEL identifier")
    expression = variable.get("expression") or ""
    if not expression.strip():
        yield required(f"{field}.expression", "expression is not specified")
        return
    try:
        compiled(expression, variables)
    except CompileError as error:
        yield invalid(f"{field}.expression", expression, f"compilation failed: {error}")


def _check_param_kind(kind: Obj, field: str) -> Iterator[Cause]:
    if not kind.get("apiVersion"):
        yield required(f"{field}.apiVersion")
    elif kind["apiVersion"].count("/") > 1:
        yield invalid(
            f"{field}.apiVersion", kind["apiVersion"], "unexpected GroupVersion string: " + kind["apiVersion"]
        )
    if not kind.get("kind"):
        yield required(f"{field}.kind")
    elif complaint := names.dns1035(kind["kind"].lower()):
        yield invalid(f"{field}.kind", kind["kind"], f"may have mixed case, but should otherwise match: {complaint}")


def _check_validations(spec: Obj, variables: Variables) -> Iterator[Cause]:
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        why = "validations or auditAnnotations must contain at least one item"
        yield required("spec.validations", why)
        yield required("spec.auditAnnotations", why)
    without_authorizer = Variables(variables.params, False, variables.namespace, variables.computed)
    for index, validation in enumerate(spec.get("validations") or ()):
        field = f"spec.validations[{index}]"
        expression = validation.get("expression") or ""
        if expression.strip():
            yield from check_expression(expression, variables, (BOOL,), f"{field}.expression")
        else:
            yield required(f"{field}.expression", "expression is not specified")
        yield from _check_message(validation, without_authorizer, field)
        if validation.get("reason") not in (None, *_REASONS):
            yield not_supported(f"{field}.reason", validation["reason"], _REASONS)


def _check_message(validation: Obj, variables: Variables, field: str) -> Iterator[Cause]:
    source = validation.get("messageExpression") or ""
    if source and not source.strip():
        yield invalid(f"{field}.messageExpression", source, "must be non-empty if specified")
    elif source:
        yield from check_expression(source, variables, (STRING,), f"{field}.messageExpression")
    message = validation.get("message") or ""
    if message and not message.strip():
        yield invalid(f"{field}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip() or "\r" in message.strip():
        yield invalid(f"{field}.message", message, "message must not contain line breaks")


def _check_annotations(obj: Obj, spec: Obj, variables: Variables) -> Iterator[Cause]:
    annotations = spec.get("auditAnnotations") or []
    if len(annotations) > _MOST_ANNOTATIONS:
        why = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
        yield invalid("spec.auditAnnotations", len(annotations), why)
    seen: set[str] = set()
    for index, annotation in enumerate(annotations):
        field = f"spec.auditAnnotations[{index}]"
        key = annotation.get("key") or ""
        if complaint := names.qualified_name(f"{name_of(obj)}/{key}"):
            yield invalid(f"{field}.key", key, complaint)
        if key in seen:
            yield duplicate(f"{field}.key", key)
        seen.add(key)
        source = annotation.get("valueExpression") or ""
        if source.strip():
            results = (STRING, CelType("null"))
            yield from check_expression(source, variables, results, f"{field}.valueExpression")
        else:
            yield required(f"{field}.valueExpression", "valueExpression is not specified")


class BindingStrategy(CountedStrategy):
    """What the bindings of both kinds have."""

    def default(self, obj: Obj) -> None:
        """`SetDefaults_MatchResources`."""
        _default_binding(obj)

    def validate(self, obj: Obj) -> list[Cause]:
        """The spec."""
        spec = obj.get("spec") or {}
        causes: list[Cause] = []
        name = spec.get("policyName") or ""
        if not name:
            causes.append(required("spec.policyName"))
        elif complaint := names.subdomain(name):
            causes.append(invalid("spec.policyName", name, complaint))
        if spec.get("paramRef") is not None:
            causes += _check_param_ref(spec["paramRef"], "spec.paramRef")
        if spec.get("matchResources") is not None:
            causes += check_match_resources(spec["matchResources"], "spec.matchResources")
        return causes


class MutatingBindingStrategy(BindingStrategy):
    """MutatingAdmissionPolicyBinding."""


class ValidatingBindingStrategy(BindingStrategy):
    """ValidatingAdmissionPolicyBinding: says also what becomes of a failed validation."""

    def validate(self, obj: Obj) -> list[Cause]:
        """The spec."""
        actions = (obj.get("spec") or {}).get("validationActions") or []
        return super().validate(obj) + list(_check_actions(actions, "spec.validationActions"))


def _check_actions(actions: list[str], field: str) -> Iterator[Cause]:
    for index, action in enumerate(actions):
        if action not in _ACTIONS:
            yield not_supported(f"{field}[{index}]", action, _ACTIONS)
        if action in actions[:index]:
            yield duplicate(f"{field}[{index}]", action)
    if "Deny" in actions and "Warn" in actions:
        why = "must not contain both Deny and Warn (repeating the same validation failure information in the API "
        yield invalid(field, actions, why + "response and headers serves no purpose)")
    if not actions:
        yield required(field, "at least one validation action is required")


def _check_param_ref(reference: Obj, field: str) -> Iterator[Cause]:
    name, selector = reference.get("name"), reference.get("selector")
    if name and selector is not None:
        yield forbidden(f"{field}.name", "name and selector are mutually exclusive")
    elif not name and selector is None:
        yield required(field, "one of name or selector must be specified")
    if name and (complaint := names.path_segment(name)):
        yield invalid(f"{field}.name", name, complaint)
    if selector is not None:
        yield from check_label_selector(selector, f"{field}.selector")
    action = reference.get("parameterNotFoundAction")
    if action is None:
        yield required(f"{field}.parameterNotFoundAction")
    elif action not in _NOT_FOUND_ACTIONS:
        yield not_supported(f"{field}.parameterNotFoundAction", action, _NOT_FOUND_ACTIONS)
