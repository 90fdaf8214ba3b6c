"""What LimitRanges say of pods and claims: the defaults they give, and what is outside their bounds.

Source: Kubernetes' `plugin/pkg/admission/limitranger`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import Amount, Amounts, amounts
from skerry.kube.quota.pod_resources import pod_total

ANNOTATION = "kubernetes.io/limit-ranger"
_CONTAINERS = {"containers": "container", "initContainers": "init container"}
Asked: TypeAlias = tuple[Amounts, Amounts]
"""Requests and limits."""
Rule: TypeAlias = Callable[[Amount, Amount | None, Amount | None], str]
"""Bound, request, limit -> the fault, "" when there is none."""


def set_defaults(pod: Obj, limit: Obj) -> None:
    """Give containers the requests and limits they lack, and say so in an annotation."""
    said = []
    for part, word in _CONTAINERS.items():
        for container in pod["spec"].get(part) or ():
            for which, source in (("requests", "defaultRequest"), ("limits", "default")):
                if names := _fill(container, which, limit.get(source) or {}):
                    said.append(f"{', '.join(names)} {which.removesuffix('s')} for {word} {container.get('name', '')}")
    if said:
        metadata = pod["metadata"]
        text = f"LimitRanger plugin set: {'; '.join(said)}"
        metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: text}


def _fill(container: Obj, which: str, defaults: Mapping[str, str]) -> list[str]:
    resources = container.setdefault("resources", {})
    given = resources.get(which) or {}
    missing = {name: value for name, value in sorted(defaults.items()) if name not in given}
    if missing:
        resources[which] = {**given, **missing}
    return list(missing)


def pod_faults(pod: Obj, limit: Obj) -> Iterator[str]:
    """What of a pod is outside the bounds of one limit."""
    kind, spec = limit.get("type", ""), pod["spec"]
    if kind == "Pod":
        asked = pod_total(spec, "requests", overhead=False), pod_total(spec, "limits", overhead=False)
        yield from _faults(limit, asked, _above)
    elif kind == "Container":
        for part in _CONTAINERS:
            for container in spec.get(part) or ():
                resources = container.get("resources") or {}
                asked = amounts(resources.get("requests")), amounts(resources.get("limits"))
                yield from _faults(limit, asked, _above)


def claim_faults(claim: Obj, limit: Obj) -> Iterator[str]:
    """What of a claim is outside the bounds of one limit."""
    if limit.get("type") == "PersistentVolumeClaim":
        resources = (claim.get("spec") or {}).get("resources") or {}
        bounded = {key: value for key, value in limit.items() if key != "maxLimitRequestRatio"}
        yield from _faults(bounded, (amounts(resources.get("requests")), {}), _above_request)


def _faults(limit: Obj, asked: Asked, maximum: Rule) -> Iterator[str]:
    for field, rule in (("min", _below), ("max", maximum), ("maxLimitRequestRatio", _ratio)):
        for name, bound in sorted(amounts(limit.get(field)).items()):
            if fault := rule(bound, asked[0].get(name), asked[1].get(name)):
                yield fault.format(name=name, kind=limit["type"], bound=bound)


def _below(bound: Amount, request: Amount | None, limit: Amount | None) -> str:
    said = "minimum {name} usage per {kind} is {bound}"
    if request is None:
        return f"{said}.  No request is specified"
    if request.value < bound.value:
        return f"{said}, but request is {request}"
    return f"{said}, but limit is {limit}" if limit is not None and limit.value < bound.value else ""


def _above(bound: Amount, request: Amount | None, limit: Amount | None) -> str:
    said = "maximum {name} usage per {kind} is {bound}"
    if limit is None:
        return f"{said}.  No limit is specified"
    if limit.value > bound.value:
        return f"{said}, but limit is {limit}"
    return f"{said}, but request is {request}" if request is not None and request.value > bound.value else ""


def _above_request(bound: Amount, request: Amount | None, limit: Amount | None) -> str:
    said = "maximum {name} usage per {kind} is {bound}"
    if request is None:
        return f"{said}.  No request is specified"
    return f"{said}, but request is {request}" if request.value > bound.value else ""


def _ratio(bound: Amount, request: Amount | None, limit: Amount | None) -> str:
    said = "{name} max limit to request ratio per {kind} is {bound}"
    if request is None or not request.value:
        return f"{said}, but no request is specified or request is 0"
    if limit is None or not limit.value:
        return f"{said}, but no limit is specified or limit is 0"
    ratio = float(limit.value / request.value)
    return f"{said}, but provided ratio is {ratio:f}" if ratio > float(bound.value) else ""
