"""Whether a volume can be used on a node: its node affinity, and the zone and region its labels name."""

from __future__ import annotations

from skerry.engine.controllers.scheduler.filters import Objection
from skerry.engine.controllers.scheduler.node_affinity import matches_term
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.kube.objects import Obj, labels_of

OUT_OF_REACH = Objection(("node(s) didn't match PersistentVolume's node affinity",), False)
OTHER_ZONE = Objection(("node(s) had no available volume zone",), False)
_OLD = "failure-domain.beta.kubernetes.io/"
_PLACES = {f"{_OLD}zone": "topology.kubernetes.io/zone", f"{_OLD}region": "topology.kubernetes.io/region"}
_BETWEEN = "__"
"""Between the zones of a volume that has several."""


def reaches(volume: Obj, state: NodeState) -> bool:
    """Whether the volume's node affinity allows the node."""
    required = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required")
    if not required:
        return True
    return any(matches_term(term, state.name, state.labels) for term in required.get("nodeSelectorTerms") or ())


def zone_objection(volume: Obj, state: NodeState) -> Objection | None:
    """Why the labels of a volume keep its pods from a node. A node without such labels is anywhere."""
    there = {**{new: state.labels[old] for old, new in _PLACES.items() if old in state.labels}, **state.labels}
    if not any(place in there for place in _PLACES.values()):
        return None
    for key, value in labels_of(volume).items():
        place = _PLACES.get(key, key)
        if place in _PLACES.values() and there.get(place) not in value.split(_BETWEEN):
            return OTHER_ZONE
    return None
