"""LimitRanger: fills in the defaults that a namespace's LimitRanges give, and refuses what is outside their bounds.

Source: Kubernetes' `plugin/pkg/admission/limitranger`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.engine.api.admission.refusal import refused
from skerry.engine.store.contract import Store
from skerry.kube.objects import Obj, is_deleting
from skerry.kube.quota.amounts import Amount, Amounts, amounts
from skerry.kube.quota.pod_resources import pod_total

ANNOTATION = "kubernetes.io/limit-ranger"
_CONTAINERS = {"containers": "container", "initContainers": "init container"}
Asked: TypeAlias = tuple[Amounts, Amounts]
"""Requests and limits."""
Rule: TypeAlias = Callable[[Amount, Amount | None, Amount | None], str]
"""Bound, request, limit -> the fault, "" when there is none."""


def limit_ranger(store: Store) -> Plugin:
    """The plug-in. A namespace without LimitRanges costs a look at their number."""

    def limits(attributes: Attributes) -> list[Obj]:
        if not store.count("limitranges", attributes.target.namespace):
            return []
        ranges = store.list("limitranges", attributes.target.namespace)
        return [limit for entry in ranges for limit in (entry.shared().get("spec") or {}).get("limits") or ()]

    def mutate(attributes: Attributes) -> None:
        if attributes.resource == "pods" and attributes.operation == "CREATE":
            for limit in limits(attributes):
                if limit.get("type") == "Container":
                    set_defaults(attributes.obj, limit)

    def validate(attributes: Attributes) -> None:
        if attributes.operation == "UPDATE" and not _asks_anew(attributes):
            return
        check = _pod_faults if attributes.resource == "pods" else _claim_faults
        faults = [fault for limit in limits(attributes) for fault in check(attributes.obj, limit)]
        if faults:
            distinct = list(dict.fromkeys(faults))
            raise refused(attributes, distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]")

    looked_at = frozenset({"pods", "pods/resize", "persistentvolumeclaims"})
    return Plugin("LimitRanger", mutate=mutate, validate=validate, resources=looked_at, operations=WRITES)


def _asks_anew(attributes: Attributes) -> bool:
    """Whether an update may ask for more than before: of a pod only its resizing does."""
    resized = attributes.target.subresource == "resize"
    return resized or not (attributes.resource == "pods" or is_deleting(attributes.obj))


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


def _pod_faults(pod: Obj, limit: Obj) -> Iterator[str]:
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


def _claim_faults(claim: Obj, limit: Obj) -> Iterator[str]:
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
