"""Why a pod cannot go on a node: one small function per rule, in Kubernetes' order and with its wording.

Source: Kubernetes `pkg/scheduler/framework/plugins`. The first rule that objects is the reason given for the node.
Fixed rules depend on the Node object only, passing ones on the pods that are there. Rules between pods are in
`neighbours`.
"""

from __future__ import annotations

from skerry.engine.controllers.scheduler.node_affinity import matches_required
from skerry.engine.controllers.scheduler.node_state import NodeState
from skerry.engine.controllers.scheduler.taints import UNSCHEDULABLE, tolerated
from skerry.engine.controllers.scheduler.templates import Template
from skerry.kube.records import record


@record
class Objection:
    """`resolvable`: whether it might help if other pods left the node (Kubernetes' status Unschedulable)."""

    reasons: tuple[str, ...]
    resolvable: bool


CORDONED = Objection(("node(s) were unschedulable",), False)
TAINTED = Objection(("node(s) had untolerated taint(s)",), False)
NOT_SELECTED = Objection(("node(s) didn't match Pod's node affinity/selector",), False)
PORTS_TAKEN = Objection(("node(s) didn't have free ports for the requested pod ports",), True)


def objection(template: Template, state: NodeState, uid: str = "") -> Objection | None:
    """The first reason against a node, rules between pods aside; None for none. Room kept for waiting pods that are at
    least as important is not free, but to the pod of `uid` itself."""
    return fixed_objection(template, state) or passing_objection(template, state, uid)


def fixed_objection(template: Template, state: NodeState) -> Objection | None:
    """`kubectl cordon`, taints, nodeSelector and required node affinity."""
    spec = template.spec
    if state.unschedulable and not tolerated(spec.get("tolerations") or (), UNSCHEDULABLE):
        return CORDONED
    if state.hard_taints:
        tolerations = spec.get("tolerations") or ()
        if not all(tolerated(tolerations, taint) for taint in state.hard_taints):
            return TAINTED
    return None if matches_required(spec, state.name, state.labels) else NOT_SELECTED


def passing_objection(template: Template, state: NodeState, uid: str = "") -> Objection | None:
    """Host ports that are taken, too little left of something."""
    found = _room_objection(template, state)
    if found is None and state.nominated:
        later = state.with_nominated(template.priority, uid)
        return _room_objection(template, later) if later is not None else None
    return found


def _room_objection(template: Template, state: NodeState) -> Objection | None:
    if template.ports and any(wanted.conflicts(taken) for wanted in template.ports for taken in state.ports):
        return PORTS_TAKEN
    allocatable, used = state.allocatable, state.used
    if len(state.pods) + 1 <= allocatable.get("pods", 0):
        for name, wanted in template.requests.items():
            if wanted > allocatable.get(name, 0) - used.get(name, 0):
                break
        else:
            return None
    return _lacking(template, state)


def _lacking(template: Template, state: NodeState) -> Objection:
    """Every thing of which too little is left is named. What the node never has enough of, nobody can make room for."""
    allocatable, used = state.allocatable, state.used
    reasons = ["Too many pods"] if len(state.pods) + 1 > allocatable.get("pods", 0) else []
    resolvable = True
    for name, wanted in template.requests.items():
        if wanted > allocatable.get(name, 0) - used.get(name, 0):
            reasons.append(f"Insufficient {name}")
            resolvable = resolvable and wanted <= allocatable.get(name, 0)
    return Objection(tuple(reasons), resolvable)
