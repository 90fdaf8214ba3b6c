"""Which objects a quota is about: its scopes. Source: Kubernetes' `pkg/quota/v1/evaluator/core` (pods.go, pvc.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity


class Scope(NamedTuple):
    """One condition: the scope's name, In, NotIn, Exists or DoesNotExist, and values."""

    name: str
    operator: str = "Exists"
    values: tuple[str, ...] = ()


def scopes_of(quota: Obj) -> tuple[Scope, ...]:
    """`spec.scopes` and `spec.scopeSelector`, all of which must hold."""
    spec = quota.get("spec") or {}
    found = [Scope(name) for name in spec.get("scopes") or ()]
    for expression in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        values = tuple(expression.get("values") or ())
        found.append(Scope(expression.get("scopeName", ""), expression.get("operator", ""), values))
    return tuple(found)


def within(scopes: Iterable[Scope], resource: str, obj: Obj) -> bool:
    """Whether all scopes hold for an object. A quota with scopes counts only what its scopes can tell apart."""
    return all(_holds(scope, resource, obj) for scope in scopes)


def _holds(scope: Scope, resource: str, obj: Obj) -> bool:
    if resource == "pods" and scope.name in POD_SCOPES:
        return POD_SCOPES[scope.name](scope, obj)
    if resource == "persistentvolumeclaims" and scope.name == "VolumeAttributesClass":
        return any(_selected(scope, name) for name in _attribute_classes(obj))
    return False


def _selected(scope: Scope, value: str) -> bool:
    """Whether a name ("" for none) is among those meant."""
    if scope.operator == "In":
        return bool(value) and value in scope.values
    if scope.operator == "NotIn":
        return value not in scope.values
    return bool(value) == (scope.operator == "Exists")


def _attribute_classes(claim: Obj) -> Iterator[str]:
    """The class asked for, the one there is, and the one that is being changed to."""
    status = claim.get("status") or {}
    target = (status.get("modifyVolumeStatus") or {}).get("targetVolumeAttributesClassName")
    yield (claim.get("spec") or {}).get("volumeAttributesClassName") or ""
    yield from filter(None, (status.get("currentVolumeAttributesClassName"), target))


def _ends_by_itself(pod: Obj) -> bool:
    deadline = pod["spec"].get("activeDeadlineSeconds")
    return deadline is not None and deadline >= 0


def is_best_effort(pod: Obj) -> bool:
    """Whether nothing in the pod asks for cpu or memory."""
    spec = pod["spec"]
    holders = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    if (spec.get("resources") or {}).get("requests") or (spec.get("resources") or {}).get("limits"):
        holders = [spec]
    return not any(
        parse_quantity(str(value)) > 0
        for holder in holders
        for part in ("requests", "limits")
        for name, value in ((holder.get("resources") or {}).get(part) or {}).items()
        if name in ("cpu", "memory")
    )


def crosses_namespaces(pod: Obj) -> bool:
    """Whether the pod's affinity looks at pods of other namespaces."""
    affinity = pod["spec"].get("affinity") or {}
    for side in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(side) or {}
        required = terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        preferred = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        for term in (*required, *(each.get("podAffinityTerm") or {} for each in preferred)):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False


POD_SCOPES: Mapping[str, Callable[[Scope, Obj], bool]] = {
    "Terminating": lambda _, pod: _ends_by_itself(pod),
    "NotTerminating": lambda _, pod: not _ends_by_itself(pod),
    "BestEffort": lambda _, pod: is_best_effort(pod),
    "NotBestEffort": lambda _, pod: not is_best_effort(pod),
    "PriorityClass": lambda scope, pod: _selected(scope, pod["spec"].get("priorityClassName") or ""),
    "CrossNamespacePodAffinity": lambda _, pod: crosses_namespaces(pod),
}
