"""ResourceQuota. Source: `ValidateResourceQuota(Update)` and `pkg/apis/core/helper`."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import immutable, invalid, required
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.engine.schema.strategies import UncountedStrategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity

_COMPUTE = frozenset({
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage",
})  # fmt: skip
_NUMBERS = frozenset({
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
_STANDARD = _COMPUTE | _NUMBERS | {"requests.storage"}
_POD_SCOPES = (
    "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity",
)  # fmt: skip
_SCOPES = (*_POD_SCOPES, "VolumeAttributesClass")
_ONLY_EXIST = frozenset(_POD_SCOPES) - {"PriorityClass"}
_CONFLICTS = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_EXIST = (
    "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


class ResourceQuotaStrategy(UncountedStrategy):
    """What the objects of a namespace may use together."""

    def validate(self, obj: Obj) -> list[Cause]:
        """Names, amounts, and scopes that fit them."""
        spec = obj.get("spec") or {}
        return [*_check_hard(spec.get("hard") or {}), *_check_scopes(spec), *_check_selector(spec)]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Scopes stay."""
        after, before = ((obj.get("spec") or {}).get("scopes") or [] for obj in (new, old))
        return [] if set(after) == set(before) else [immutable("spec.scopes", after)]


def _check_hard(hard: dict[str, str]) -> Iterator[Cause]:
    for name, amount in hard.items():
        field = f"spec.hard[{name}]"
        if complaint := names.qualified_name(name):
            yield invalid(field, name, complaint)
        elif "/" not in name and name not in _STANDARD and "hugepages-" not in name:
            yield invalid(field, name, "must be a standard resource for quotas")
        value = parse_quantity(amount)
        if value < 0:
            yield invalid(field, amount, NOT_NEGATIVE)
        elif _in_pieces(name) and value != value.to_integral_value():
            yield invalid(field, amount, "must be an integer")


def _in_pieces(name: str) -> bool:
    bare = name.removeprefix("requests.")
    return name in _NUMBERS or name.startswith("count/") or ("/" in bare and "kubernetes.io/" not in bare)


def _check_scopes(spec: Obj) -> Iterator[Cause]:
    scopes, hard = spec.get("scopes") or [], spec.get("hard") or {}
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid("spec.scopes", scopes, "unsupported scope")
        elif not all(_fits(scope, name) for name in hard):
            yield invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in _CONFLICTS:
        if pair <= set(scopes):
            yield invalid("spec.scopes", scopes, "conflicting scopes")


def _fits(scope: str, name: str) -> bool:
    """Whether a scope can tell apart what a standard name counts; others are not judged."""
    if name not in _STANDARD:
        return True
    if scope == "VolumeAttributesClass":
        return name in ("persistentvolumeclaims", "requests.storage")
    return name == "pods" or (scope != "BestEffort" and name in _COMPUTE)


def _check_selector(spec: Obj) -> Iterator[Cause]:
    expressions = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    field = "spec.scopeSelector.matchExpressions"
    for expression in expressions:
        scope, operator = expression.get("scopeName", ""), expression.get("operator", "")
        if scope not in _SCOPES:
            yield invalid(f"{field}.scopeName", scope, "unsupported scope")
        elif not all(_fits(scope, name) for name in spec.get("hard") or {}):
            yield invalid(field, spec["scopeSelector"], "unsupported scope applied to resource")
        if scope in _ONLY_EXIST and operator != "Exists":
            yield invalid(f"{field}.operator", operator, _EXIST)
        yield from _check_values(operator, expression.get("values") or [], field)
    found = {expression.get("scopeName") for expression in expressions}
    if any(pair <= found for pair in _CONFLICTS):
        yield invalid(field, spec["scopeSelector"], "conflicting scopes")


def _check_values(operator: str, values: list[str], field: str) -> Iterator[Cause]:
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            yield required(f"{field}.values", why)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(f"{field}.values", values, why)
    else:
        yield invalid(f"{field}.operator", operator, "not a valid selector operator")
