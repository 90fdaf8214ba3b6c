"""Why a pod cannot go on a node: one small function per rule, in Kubernetes' order and with its wording.

Source: Kubernetes `pkg/scheduler/framework/plugins`. The first rule that objects is the reason given for the node.
Rules between pods are in `neighbours`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from skerry.engine.controllers.scheduler.cluster import NodeState, PodFacts
from skerry.engine.controllers.scheduler.node_affinity import matches_required
from skerry.engine.controllers.scheduler.taints import UNSCHEDULABLE, repelling_taints, tolerated

Filter = Callable[[PodFacts, NodeState], Sequence[str]]


def unschedulable(facts: PodFacts, state: NodeState) -> Sequence[str]:
    """`kubectl cordon`."""
    spec = (state.node or {}).get("spec") or {}
    cordoned = spec.get("unschedulable") and not tolerated(facts.pod["spec"].get("tolerations") or (), UNSCHEDULABLE)
    return ("node(s) were unschedulable",) if cordoned else ()


def taints(facts: PodFacts, state: NodeState) -> Sequence[str]:
    """Taints without a toleration."""
    return ("node(s) had untolerated taint(s)",) if repelling_taints(facts.pod["spec"], state.node or {}) else ()


def node_affinity(facts: PodFacts, state: NodeState) -> Sequence[str]:
    """nodeSelector and required node affinity."""
    if matches_required(facts.pod["spec"], state.name, state.labels):
        return ()
    return ("node(s) didn't match Pod's node affinity/selector",)


def ports(facts: PodFacts, state: NodeState) -> Sequence[str]:
    """Host ports that are taken."""
    if not facts.ports:
        return ()
    taken = list(state.ports())
    free = all(not wanted.conflicts(other) for wanted in facts.ports for other in taken)
    return () if free else ("node(s) didn't have free ports for the requested pod ports",)


def resources(facts: PodFacts, state: NodeState) -> Sequence[str]:
    """Too little left of something; every such thing is named."""
    reasons = ["Too many pods"] if len(state.pods) + 1 > state.allocatable["pods"] else []
    for name, wanted in facts.requests.items():
        if wanted > 0 and wanted > state.allocatable[name] - state.used[name]:
            reasons.append(f"Insufficient {name}")
    return reasons


FILTERS: tuple[Filter, ...] = (unschedulable, taints, node_affinity, ports, resources)
