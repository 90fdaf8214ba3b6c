"""On which nodes the pods of a DaemonSet should run, and on which they may stay. Pure.

Source: Kubernetes `NodeShouldRunDaemonPod` (`pkg/controller/daemon/daemon_controller.go`). The rules of node selectors
and taints are the scheduler's.
"""

from __future__ import annotations

from skerry.engine.controllers.scheduler.node_affinity import matches_required
from skerry.engine.controllers.scheduler.taints import NO_EXECUTE, repelling_taints
from skerry.kube.objects import Obj, labels_of, name_of
from skerry.kube.records import record


@record
class Fit:
    """`wanted`: a pod belongs here. `tolerated`: one that is here may stay."""

    wanted: bool
    tolerated: bool


def fit(spec: Obj, node: Obj) -> Fit:
    """How a node suits the pods of a spec (`pods.tolerant_spec`)."""
    if spec.get("nodeName") not in (None, "", name_of(node)):
        return Fit(False, False)
    if not matches_required(spec, name_of(node), labels_of(node)):
        return Fit(False, False)
    taints = repelling_taints(spec, node)
    if taints:
        return Fit(False, all(taint.get("effect") != NO_EXECUTE for taint in taints))
    return Fit(True, True)


def suits_view(node: Obj) -> tuple[object, ...]:
    """What of a node decides it: two states that agree in this need no second look."""
    return node["metadata"].get("uid"), labels_of(node), (node.get("spec") or {}).get("taints")
