"""What webhooks and policies share: rules, selectors, match conditions; their defaults and what makes them valid.

Source: `pkg/apis/admissionregistration/{v1/defaults.go,validation/validation.go}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skerry.engine.cel.contract import BOOL
from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, invalid, not_supported, required
from skerry.engine.schema.kinds.admissionregistration.expressions import Variables, check_expression
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.strategies import set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

FAILURE_POLICIES = frozenset({"Fail", "Ignore"})
MATCH_POLICIES = frozenset({"Exact", "Equivalent"})
REINVOCATION_POLICIES = frozenset({"Never", "IfNeeded"})
_OPERATIONS = frozenset({"*", "CREATE", "UPDATE", "DELETE", "CONNECT"})
_SCOPES = frozenset({"*", "Cluster", "Namespaced"})
_MOST_CONDITIONS = 64


def default_matching(obj: Obj, rules: Iterable[str]) -> None:
    """`SetDefaults_MatchResources`, and of the rules in the lists named."""
    set_default(obj, "matchPolicy", "Equivalent")
    set_default(obj, "namespaceSelector", {})
    set_default(obj, "objectSelector", {})
    for key in rules:
        for rule in obj.get(key) or ():
            set_default(rule, "scope", "*")


def check_choice(obj: Obj, key: str, choices: frozenset[str], field: str) -> Iterator[Cause]:
    """A field that has to be one of a few words."""
    value = obj.get(key)
    if value is None:
        yield required(f"{field}.{key}")
    elif value not in choices:
        yield not_supported(f"{field}.{key}", value, choices)


def check_selectors(obj: Obj, field: str) -> Iterator[Cause]:
    """matchPolicy and the two selectors."""
    yield from check_choice(obj, "matchPolicy", MATCH_POLICIES, field)
    for key in ("namespaceSelector", "objectSelector"):
        yield from check_label_selector(obj.get(key) or {}, f"{field}.{key}")


def check_match_resources(obj: Obj, field: str) -> Iterator[Cause]:
    """A policy's matchConstraints, a binding's matchResources."""
    yield from check_selectors(obj, field)
    for key in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(obj.get(key) or ()):
            yield from check_rule(rule, f"{field}.{key}[{index}]")


def check_rule(rule: Obj, field: str) -> Iterator[Cause]:
    """One rule: operations, groups, versions, resources, scope, names."""
    operations = rule.get("operations") or []
    yield from _check_list(operations, f"{field}.operations", "operations", empty=False)
    for index, operation in enumerate(operations):
        if operation and operation not in _OPERATIONS:
            yield not_supported(f"{field}.operations[{index}]", operation, _OPERATIONS)
    yield from _check_list(rule.get("apiGroups") or [], f"{field}.apiGroups", "API groups", empty=True)
    yield from _check_list(rule.get("apiVersions") or [], f"{field}.apiVersions", "API versions", empty=False)
    yield from _check_resources(rule.get("resources") or [], f"{field}.resources")
    if rule.get("scope") not in (None, *_SCOPES):
        yield not_supported(f"{field}.scope", rule["scope"], _SCOPES)
    yield from _check_names(rule.get("resourceNames") or [], f"{field}.resourceNames")


def _check_list(values: list[str], field: str, what: str, *, empty: bool) -> Iterator[Cause]:
    if not values:
        yield required(field)
    if len(values) > 1 and "*" in values:
        yield invalid(field, values, f"if '*' is present, must not specify other {what}")
    for index, value in enumerate(values):
        if not value and not empty:
            yield required(f"{field}[{index}]")


def _check_resources(resources: list[str], field: str) -> Iterator[Cause]:
    if not resources:
        yield required(field)
    every_sub: set[str] = set()
    every_resource: set[str] = set()
    for index, value in enumerate(resources):
        at = f"{field}[{index}]"
        if not value:
            yield required(at)
        resource, slash, sub = value.partition("/")
        if not slash:
            continue
        if resource in every_sub:
            yield invalid(at, value, f"if '{resource}/*' is present, must not specify {value}")
        if sub in every_resource:
            yield invalid(at, value, f"if '*/{sub}' is present, must not specify {value}")
        every_sub |= {resource} if sub == "*" else set()
        every_resource |= {sub} if resource == "*" else set()
    if len(resources) > 1 and "*/*" in resources:
        yield invalid(field, resources, "if '*/*' is present, must not specify other resources")
    if "*" in resources and any(value != "*" and "/" not in value for value in resources):
        yield invalid(field, resources, "if '*' is present, must not specify other resources without subresources")


def _check_names(given: list[str], field: str) -> Iterator[Cause]:
    for index, name in enumerate(given):
        if complaint := names.path_segment(name):
            yield invalid(f"{field}[{index}]", name, complaint)
        if name in given[:index]:
            yield duplicate(f"{field}[{index}]", name)


def check_match_conditions(conditions: list[Obj], variables: Variables, field: str) -> Iterator[Cause]:
    """Named expressions that say whether a request is looked at."""
    if len(conditions) > _MOST_CONDITIONS:
        why = f"Too many: {len(conditions)}: must have at most {_MOST_CONDITIONS} items"
        yield Cause("FieldValueTooMany", why, field)
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        at = f"{field}[{index}]"
        expression = (condition.get("expression") or "").strip()
        if expression:
            yield from check_expression(expression, variables, (BOOL,), f"{at}.expression")
        else:
            yield required(f"{at}.expression")
        name = condition.get("name") or ""
        if not name:
            yield required(f"{at}.name")
        elif complaint := names.qualified_name(name):
            yield invalid(f"{at}.name", name, complaint)
        elif name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
