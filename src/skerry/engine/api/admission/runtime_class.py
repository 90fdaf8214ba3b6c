"""Pods that name a runtime class get its overhead and its scheduling rules.

Source: Kubernetes' `plugin/pkg/admission/runtimeclass` and `pkg/util/tolerations`.
"""

from __future__ import annotations

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import CREATE, Plugin
from skerry.engine.api.admission.refusal import refused
from skerry.engine.store.contract import Key, Store
from skerry.kube.objects import Obj
from skerry.kube.quantities import canonical

CLASSES = "runtimeclasses.node.k8s.io"


def runtime_class(store: Store) -> Plugin:
    """The plug-in, looking classes up in `store`."""

    def mutate(attributes: Attributes) -> None:
        if (chosen := _class_of(attributes, store)) is not None:
            _set_overhead(attributes, chosen)
            _set_scheduling(attributes, chosen.get("scheduling") or {})

    def validate(attributes: Attributes) -> None:
        spec = attributes.obj["spec"]
        if spec.get("overhead") and not _fixed(_class_of(attributes, store) or {}):
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise refused(attributes, why)

    looked_at = frozenset({"pods"})
    return Plugin("RuntimeClass", mutate=mutate, validate=validate, resources=looked_at, operations=CREATE)


def _class_of(attributes: Attributes, store: Store) -> Obj | None:
    name = attributes.obj["spec"].get("runtimeClassName")
    if not name:
        return None
    entry = store.get(Key(CLASSES, "", name))
    if entry is None:
        raise refused(attributes, f'pod rejected: RuntimeClass "{name}" not found')
    return entry.shared()


def _fixed(chosen: Obj) -> dict[str, str]:
    return (chosen.get("overhead") or {}).get("podFixed") or {}


def _set_overhead(attributes: Attributes, chosen: Obj) -> None:
    spec, fixed = attributes.obj["spec"], _fixed(chosen)
    if not fixed:
        return
    given = spec.get("overhead")
    if given and _canonical(given) != _canonical(fixed):
        why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        raise refused(attributes, why)
    spec["overhead"] = dict(fixed)


def _canonical(amounts: dict[str, str]) -> dict[str, str]:
    return {name: canonical(amount) for name, amount in amounts.items()}


def _set_scheduling(attributes: Attributes, scheduling: Obj) -> None:
    spec = attributes.obj["spec"]
    selector = dict(spec.get("nodeSelector") or {})
    for key, wanted in (scheduling.get("nodeSelector") or {}).items():
        if selector.setdefault(key, wanted) != wanted:
            mine = f"pod.spec.nodeSelector[{key}] = {selector[key]}"
            raise refused(attributes, f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted}; {mine}")
    if selector:
        spec["nodeSelector"] = selector
    tolerations = spec.get("tolerations") or []
    added = [each for each in scheduling.get("tolerations") or () if each not in tolerations]
    if added:
        spec["tolerations"] = [*tolerations, *(dict(each) for each in added)]
