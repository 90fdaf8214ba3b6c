"""Pods get the number and the preemption policy of their priority class; only one class may be the default.

Source: Kubernetes' `plugin/pkg/admission/priority`.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.admission.chain import WRITES, Plugin
from skerry.engine.api.admission.refusal import refused
from skerry.engine.store.contract import Key, Store
from skerry.kube.objects import Obj, name_of

CLASSES = "priorityclasses.scheduling.k8s.io"
_NEVER_GIVEN = "must not be provided in pod spec; priority admission controller computed"


def priority(store: Store) -> Plugin:
    """The plug-in, looking classes up in `store`."""

    def classes() -> Iterable[Obj]:
        return (entry.shared() for entry in store.list(CLASSES))

    def mutate(attributes: Attributes) -> None:
        if attributes.resource == "pods":
            if attributes.operation == "CREATE":
                _resolve(attributes, _class_of(attributes, store) or default_class(classes()))
            else:
                _keep(attributes)

    def validate(attributes: Attributes) -> None:
        if attributes.resource == CLASSES and attributes.obj.get("globalDefault"):
            other = default_class(each for each in classes() if name_of(each) != attributes.name)
            if other is not None:
                why = f"PriorityClass {name_of(other)} is already marked as default. Only one default can exist"
                raise refused(attributes, why)

    looked_at = frozenset({"pods", CLASSES})
    return Plugin("Priority", mutate=mutate, validate=validate, resources=looked_at, operations=WRITES)


def default_class(classes: Iterable[Obj]) -> Obj | None:
    """The class marked as default, the lowest if there are several."""
    marked = [each for each in classes if each.get("globalDefault")]
    return min(marked, key=lambda each: int(each.get("value", 0)), default=None)


def _class_of(attributes: Attributes, store: Store) -> Obj | None:
    """The class a new pod names, None when it names none. Raises Forbidden."""
    name = attributes.obj["spec"].get("priorityClassName")
    if not name:
        return None
    entry = store.get(Key(CLASSES, "", name))
    if entry is None:
        raise refused(attributes, f"no PriorityClass with name {name} was found")
    return entry.shared()


def _resolve(attributes: Attributes, chosen: Obj | None) -> None:
    """Set what the class says; what the pod says itself must be the same. Raises Forbidden."""
    spec = attributes.obj["spec"]
    value: int = chosen.get("value", 0) if chosen is not None else 0
    policy = (chosen or {}).get("preemptionPolicy") or "PreemptLowerPriority"
    if spec.get("priority") not in (None, value):
        text = f"the integer value of priority ({spec['priority']}) {_NEVER_GIVEN} {value}"
        raise refused(attributes, f"{text} from the given PriorityClass name")
    if spec.get("preemptionPolicy") not in (None, policy):
        text = f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) {_NEVER_GIVEN} {policy}"
        raise refused(attributes, f"{text} from the given PriorityClass name")
    spec["priority"], spec["preemptionPolicy"] = value, policy
    if chosen is not None:
        spec["priorityClassName"] = name_of(chosen)


def _keep(attributes: Attributes) -> None:
    """An update that leaves them out does not mean to clear them."""
    after, before = attributes.obj["spec"], (attributes.old or {})["spec"]
    for field in ("priority", "preemptionPolicy"):
        if after.get(field) is None and before.get(field) is not None:
            after[field] = before[field]
