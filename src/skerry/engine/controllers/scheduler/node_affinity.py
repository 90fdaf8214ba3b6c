"""Node selectors and node affinity. Source: k8s.io/component-helpers `scheduling/corev1/nodeaffinity`."""

from __future__ import annotations

from collections.abc import Mapping

from skerry.kube.objects import Obj
from skerry.kube.selectors import Requirement, SelectorError

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}


def matches_required(spec: Obj, node_name: str, labels: Mapping[str, str]) -> bool:
    """Whether the pod's nodeSelector and required node affinity allow this node."""
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return True
    return any(matches_term(term, node_name, labels) for term in required.get("nodeSelectorTerms") or ())


def required_names(spec: Obj) -> frozenset[str] | None:
    """The only nodes the required terms name by `matchFields` (as a DaemonSet's pods do); None when they name none."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms")
    found: frozenset[str] = frozenset()
    for term in terms or ():
        lists = [one["values"] for one in term.get("matchFields") or () if _names(one)]
        if not lists:
            return None
        found |= frozenset(lists[0]).intersection(*lists[1:])
    return found if terms else None


def _names(field: Obj) -> bool:
    return field.get("key") == "metadata.name" and field.get("operator") == "In" and bool(field.get("values"))


def preferred_weight(spec: Obj, node_name: str, labels: Mapping[str, str]) -> int:
    """The sum of the weights of the preferred terms that this node meets."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
    return sum(
        int(term.get("weight", 0))
        for term in preferred
        if matches_term(term.get("preference") or {}, node_name, labels)
    )


def matches_term(term: Obj, node_name: str, labels: Mapping[str, str]) -> bool:
    """All expressions on labels and all on fields (`metadata.name`) hold; an empty term matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    named = {"metadata.name": node_name}
    return all(_holds(one, labels) for one in expressions) and all(_holds(one, named) for one in fields)


def _holds(expression: Obj, labels: Mapping[str, str]) -> bool:
    operator = _OPERATORS.get(expression.get("operator", ""), "")
    try:
        return Requirement(expression["key"], operator, frozenset(expression.get("values") or ())).matches(labels)
    except (SelectorError, KeyError):
        return False
