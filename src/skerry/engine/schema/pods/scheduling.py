"""Rules on what places a pod: tolerations, node selectors, affinity, spread.

Source: `ValidateTolerations` and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema import names
from skerry.engine.schema.causes import duplicate, forbidden, invalid, not_supported, required
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.metadata import validate_labels
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")
_NODE_OPERATORS = ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn")
_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")


def check_scheduling(spec: Obj, field: str) -> Iterator[Cause]:
    """Everything that says where a pod may run."""
    if spec.get("nodeSelector"):
        yield from validate_labels(spec["nodeSelector"], f"{field}.nodeSelector")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from check_toleration(toleration, f"{field}.tolerations[{index}]")
    if spec.get("affinity"):
        yield from _check_affinity(spec["affinity"], f"{field}.affinity")
    for index, spread in enumerate(spec.get("topologySpreadConstraints") or ()):
        yield from _check_spread(spread, f"{field}.topologySpreadConstraints[{index}]")
    gates: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        yield from _check_gate(gate.get("name", ""), f"{field}.schedulingGates[{index}]", gates)
    if gates and spec.get("nodeName"):
        yield forbidden(f"{field}.nodeName", "cannot be set until all schedulingGates have been cleared")


def _check_gate(name: str, field: str, seen: set[str]) -> Iterator[Cause]:
    if complaint := names.qualified_name(name):
        yield invalid(field, name, complaint)
    if name in seen:
        yield duplicate(field, name)
    seen.add(name)


def check_toleration(toleration: Obj, field: str) -> Iterator[Cause]:
    """One toleration, of a pod or of a runtime class."""
    key, operator = toleration.get("key"), toleration.get("operator") or "Equal"
    effect = toleration.get("effect")
    if key and (complaint := names.qualified_name(key)):
        yield invalid(f"{field}.key", key, complaint)
    if not key and operator != "Exists":
        yield invalid(
            f"{field}.operator",
            operator,
            'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        )
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield invalid(f"{field}.effect", effect or "", "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator == "Exists" and toleration.get("value"):
        yield invalid(f"{field}.operator", toleration, "value must be empty when `operator` is 'Exists'")
    elif operator == "Equal" and (complaint := names.label_value(toleration.get("value") or "")):
        yield invalid(f"{field}.operator", toleration["value"], complaint)
    elif operator not in ("Equal", "Exists"):
        yield not_supported(f"{field}.operator", operator, ("Equal", "Exists"))
    if effect and effect not in EFFECTS:
        yield not_supported(f"{field}.effect", effect, EFFECTS)


def _check_affinity(affinity: Obj, field: str) -> Iterator[Cause]:
    node = affinity.get("nodeAffinity") or {}
    hard = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    if hard is not None:
        below = f"{field}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
        if not hard.get("nodeSelectorTerms"):
            yield required(f"{below}.nodeSelectorTerms", "must have at least one node selector term")
        for index, term in enumerate(hard.get("nodeSelectorTerms") or ()):
            yield from _check_node_term(term, f"{below}.nodeSelectorTerms[{index}]")
    for index, choice in enumerate(node.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        below = f"{field}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[{index}]"
        yield from _check_weight(choice, below)
        yield from _check_node_term(choice.get("preference") or {}, f"{below}.preference")
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _check_pod_affinity(affinity.get(kind) or {}, f"{field}.{kind}")


def _check_pod_affinity(affinity: Obj, field: str) -> Iterator[Cause]:
    hard, soft = (f"{word}DuringSchedulingIgnoredDuringExecution" for word in ("required", "preferred"))
    for index, term in enumerate(affinity.get(hard) or ()):
        yield from _check_pod_term(term, f"{field}.{hard}[{index}]")
    for index, choice in enumerate(affinity.get(soft) or ()):
        below = f"{field}.{soft}[{index}]"
        yield from _check_weight(choice, below)
        yield from _check_pod_term(choice.get("podAffinityTerm") or {}, f"{below}.podAffinityTerm")


def _check_weight(choice: Obj, field: str) -> Iterator[Cause]:
    if not 1 <= choice.get("weight", 0) <= 100:
        yield invalid(f"{field}.weight", choice.get("weight", 0), "must be in the range 1-100")


def _check_node_term(term: Obj, field: str) -> Iterator[Cause]:
    for index, expression in enumerate(term.get("matchExpressions") or ()):
        below = f"{field}.matchExpressions[{index}]"
        operator, values = expression.get("operator"), expression.get("values") or []
        if operator not in _NODE_OPERATORS:
            yield invalid(f"{below}.operator", operator or "", "not a valid selector operator")
        elif operator in ("In", "NotIn") and not values:
            yield required(f"{below}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist") and values:
            yield invalid(
                f"{below}.values", values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
        elif operator in ("Gt", "Lt") and len(values) != 1:
            yield required(f"{below}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
        if complaint := names.qualified_name(expression.get("key") or ""):
            yield invalid(f"{below}.key", expression.get("key", ""), complaint)


def _check_pod_term(term: Obj, field: str) -> Iterator[Cause]:
    if term.get("labelSelector"):
        yield from check_label_selector(term["labelSelector"], f"{field}.labelSelector")
    if not term.get("topologyKey"):
        yield required(f"{field}.topologyKey", "can not be empty")
    elif complaint := names.qualified_name(term["topologyKey"]):
        yield invalid(f"{field}.topologyKey", term["topologyKey"], complaint)


def _check_spread(spread: Obj, field: str) -> Iterator[Cause]:
    if spread.get("maxSkew", 0) <= 0:
        yield invalid(f"{field}.maxSkew", spread.get("maxSkew", 0), "must be greater than zero")
    if not spread.get("topologyKey"):
        yield required(f"{field}.topologyKey", "can not be empty")
    if spread.get("whenUnsatisfiable") not in _UNSATISFIABLE:
        yield not_supported(f"{field}.whenUnsatisfiable", spread.get("whenUnsatisfiable", ""), _UNSATISFIABLE)
    if spread.get("labelSelector"):
        yield from check_label_selector(spread["labelSelector"], f"{field}.labelSelector")
