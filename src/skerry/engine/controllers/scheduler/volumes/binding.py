"""Volumes for claims that wait for their first consumer, on one node: pure.

Source: `FindPodVolumes` of Kubernetes' plug-in `volumebinding`. A claim gets the smallest volume that fits and reaches
the node; where there is none, one can be made there if the class has a provisioner, allows the node's place, and, for
a driver that says so, the place has room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skerry.engine.controllers.scheduler.filters import Objection
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.volumes.reach import reaches
from skerry.engine.controllers.scheduler.volumes.storage import Storage
from skerry.engine.controllers.volumes.matching import best_volume_at, size_asked
from skerry.kube.objects import Obj, annotations_of, key_of, name_of
from skerry.kube.quantities import parse_quantity
from skerry.kube.records import record
from skerry.kube.selectors import selector_of
from skerry.kube.volumes import NO_PROVISIONER, SELECTED_NODE, class_of

NOTHING_TO_BIND = Objection(("node(s) didn't find available persistent volumes to bind",), False)
NO_ROOM = Objection(("node(s) did not have enough free storage",), False)


@record
class Plan:
    """What is written when the pod goes to the node: volumes for claims, and claims that get one made there."""

    found: Sequence[tuple[Obj, Obj]] = ()
    """Claim and volume."""
    made: Sequence[Obj] = ()


def plan_at(unbound: Iterable[Obj], state: NodeState, storage: Storage) -> Plan | Objection:
    """The plan for one node, or why there is none."""
    found: list[tuple[Obj, Obj]] = []
    made: list[Obj] = []
    for claim in sorted(unbound, key=size_asked):
        promise = storage.promise(key_of(claim))
        chosen = promise.node if promise is not None else annotations_of(claim).get(SELECTED_NODE, "")
        if chosen and chosen != state.name:
            return NOTHING_TO_BIND
        if promise is not None:
            continue  # written on behalf of another pod
        taken = {name_of(volume) for _, volume in found}
        volume = None if chosen else _best(claim, taken, state, storage)
        if volume is not None:
            found.append((claim, volume))
            continue
        if (objection := _making_objection(claim, state, storage)) is not None:
            return objection
        made.append(claim)
    return Plan(found, made)


def _best(claim: Obj, taken: set[str], state: NodeState, storage: Storage) -> Obj | None:
    free = (one for one in storage.candidates(claim) if name_of(one) not in taken)
    return best_volume_at(claim, free, lambda volume: reaches(volume, state))


def _making_objection(claim: Obj, state: NodeState, storage: Storage) -> Objection | None:
    storage_class = storage.storage_class(class_of(claim))
    if storage_class is None or storage_class.get("provisioner") in (None, "", NO_PROVISIONER):
        return NOTHING_TO_BIND
    if not _is_allowed(storage_class.get("allowedTopologies") or (), state):
        return NOTHING_TO_BIND
    return None if _has_room(claim, storage_class, state, storage) else NO_ROOM


def _is_allowed(terms: Sequence[Obj], state: NodeState) -> bool:
    """Whether the node's labels meet one of the terms, all of its expressions."""
    return not terms or any(
        all(state.labels.get(one["key"]) in one["values"] for one in term.get("matchLabelExpressions") or ())
        for term in terms
    )


def _has_room(claim: Obj, storage_class: Obj, state: NodeState, storage: Storage) -> bool:
    """Only drivers whose CSIDriver says `storageCapacity: true` are asked about."""
    driver = storage.driver(storage_class["provisioner"])
    if driver is None or not (driver.get("spec") or {}).get("storageCapacity"):
        return True
    return any(_offers(one, claim, state) for one in storage.capacities(name_of(storage_class)))


def _offers(capacity: Obj, claim: Obj, state: NodeState) -> bool:
    largest = capacity.get("maximumVolumeSize", capacity.get("capacity"))
    topology = capacity.get("nodeTopology")
    if largest is None or topology is None or parse_quantity(largest) < size_asked(claim):
        return False
    return selector_of(topology).matches(state.labels)
