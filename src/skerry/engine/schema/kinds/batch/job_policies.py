"""Rules on `podFailurePolicy`, `successPolicy` and `podReplacementPolicy` of a Job.

Source: `validatePodFailurePolicy`, `validateSuccessPolicy` and `validatePodReplacementPolicy` in Kubernetes'
`pkg/apis/batch/validation`.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, invalid, invalid_whole, not_supported, required, too_long, too_many
from skerry.engine.schema.kinds.batch.index_lists import BadIndexes, count_of
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_MOST_RULES = _MOST_PATTERNS = 20
_MOST_VALUES = 255
_LONGEST_INDEXES = 64 * 1024  # bytes


def check_policies(spec: Obj, field: str) -> Iterator[Cause]:
    """All three."""
    failure, replacement = spec.get("podFailurePolicy"), spec.get("podReplacementPolicy")
    if failure is not None:
        yield from _check_failure(spec, failure.get("rules") or [], f"{field}.podFailurePolicy.rules")
    if spec.get("successPolicy") is not None:
        yield from _check_success(spec, f"{field}.successPolicy")
    allowed = ("Failed",) if failure is not None else _REPLACEMENTS
    if replacement is not None and replacement not in allowed:
        yield not_supported(f"{field}.podReplacementPolicy", replacement, allowed)


def _check_failure(spec: Obj, rules: list[Obj], field: str) -> Iterator[Cause]:
    if len(rules) > _MOST_RULES:
        yield too_many(field, len(rules), _MOST_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = {one.get("name") for part in ("containers", "initContainers") for one in pod.get(part) or ()}
    for index, rule in enumerate(rules):
        yield from _check_action(spec, rule.get("action"), f"{field}[{index}].action")
        yield from _check_rule(rule, f"{field}[{index}]", containers)


def _check_action(spec: Obj, action: str | None, field: str) -> Iterator[Cause]:
    if not action:
        yield required(field, f"valid values: {_listed(_ACTIONS)}")
    elif action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        yield invalid(field, action, "requires the backoffLimitPerIndex to be set")
    elif action not in _ACTIONS:
        yield not_supported(field, action, _ACTIONS)


def _check_rule(rule: Obj, field: str, containers: set[str | None]) -> Iterator[Cause]:
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions")
    if codes is not None:
        yield from _check_codes(codes, f"{field}.onExitCodes", containers)
    if patterns:
        yield from _check_patterns(patterns, f"{field}.onPodConditions")
    if codes is not None and patterns:
        yield invalid_whole(field, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not patterns:
        yield invalid_whole(field, "specifying one of OnExitCodes and OnPodConditions is required")


def _check_codes(codes: Obj, field: str, containers: set[str | None]) -> Iterator[Cause]:
    operator, name, values = codes.get("operator"), codes.get("containerName"), codes.get("values") or []
    if not operator:
        yield required(f"{field}.operator", f"valid values: {_listed(_OPERATORS)}")
    elif operator not in _OPERATORS:
        yield not_supported(f"{field}.operator", operator, _OPERATORS)
    if name is not None and name not in containers:
        why = "must be one of the container or initContainer names in the pod template"
        yield invalid(f"{field}.containerName", name, why)
    if not values:
        yield invalid(f"{field}.values", values, "at least one value is required")
    elif len(values) > _MOST_VALUES:
        yield too_many(f"{field}.values", len(values), _MOST_VALUES)
    seen: set[int] = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            yield invalid(f"{field}.values[{index}]", value, "must not be 0 for the In operator")
        if value in seen:
            yield duplicate(f"{field}.values[{index}]", value)
        seen.add(value)
    if values != sorted(values):
        yield invalid(f"{field}.values", values, "must be ordered")


def _check_patterns(patterns: list[Obj], field: str) -> Iterator[Cause]:
    if len(patterns) > _MOST_PATTERNS:
        yield too_many(field, len(patterns), _MOST_PATTERNS)
    for index, pattern in enumerate(patterns):
        status = pattern.get("status")
        if complaint := names.qualified_name(pattern.get("type") or ""):
            yield invalid(f"{field}[{index}].type", pattern.get("type") or "", complaint)
        if not status:
            yield required(f"{field}[{index}].status", f"valid values: {_listed(_STATUSES)}")
        elif status not in _STATUSES:
            yield not_supported(f"{field}[{index}].status", status, _STATUSES)


def _check_success(spec: Obj, field: str) -> Iterator[Cause]:
    if spec.get("completionMode") != "Indexed":
        yield invalid(field, spec["successPolicy"], "requires indexed completion mode")
        return
    rules = spec["successPolicy"].get("rules") or []
    if not rules:
        yield required(f"{field}.rules", "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MOST_RULES:
        yield too_many(f"{field}.rules", len(rules), _MOST_RULES)
    for index, rule in enumerate(rules):
        yield from _check_success_rule(rule, int(spec.get("completions") or 0), f"{field}.rules[{index}]")


def _check_success_rule(rule: Obj, completions: int, field: str) -> Iterator[Cause]:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        yield required(field, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        if len(indexes) > _LONGEST_INDEXES:
            yield too_long(f"{field}.succeededIndexes", _LONGEST_INDEXES)
        try:
            total = count_of(indexes, completions)
        except BadIndexes as why_not:
            yield invalid(f"{field}.succeededIndexes", indexes, f"error parsing succeededIndexes: {why_not}")
    if count is None:
        return
    if count < 0:
        yield invalid(f"{field}.succeededCount", count, NOT_NEGATIVE)
    if count > completions:
        why = f"must be less than or equal to {completions} (the number of specified completions)"
        yield invalid(f"{field}.succeededCount", count, why)
    if indexes is not None and count > total:
        most = f"{total} (the number of indexes in the specified succeededIndexes field)"
        yield invalid(f"{field}.succeededCount", count, f"must be less than or equal to {most}")


def _listed(values: tuple[str, ...]) -> str:
    """As Go prints a list of quoted strings."""
    return "[" + " ".join(f'"{value}"' for value in values) + "]"
