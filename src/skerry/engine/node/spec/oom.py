"""Who is killed first when memory runs out: best-effort pods first, guaranteed ones last, others by what they asked.

Source of the behaviour: the kubelet's `pkg/kubelet/qos/policy.go`. Pure.
"""

from __future__ import annotations

from skerry.engine.node.pods.state import init_containers, is_sidecar, main_containers
from skerry.kube.objects import Obj
from skerry.kube.qos import qos_class
from skerry.kube.quantities import bytes_of
from skerry.kube.quota.amounts import ZERO
from skerry.kube.quota.pod_resources import pod_total

_GUARANTEED, _BEST_EFFORT = -997, 1000
_NODE_CRITICAL = 2_000_001_000  # the priority of system-node-critical


def oom_score(pod: Obj, container: Obj, machine_memory: int) -> int:
    """The container's `oom_score_adj`; `machine_memory` in bytes. A sidecar is never killed before the containers it
    is there for."""
    quality = qos_class(pod["spec"])
    if quality == "Guaranteed" or (pod["spec"].get("priority") or 0) >= _NODE_CRITICAL:
        return _GUARANTEED
    if quality == "BestEffort":
        return _BEST_EFFORT
    spare = _spare(pod)
    score = _by_request(container, spare, machine_memory)
    if is_sidecar(container):
        score = min(score, *(_by_request(main, spare, machine_memory) for main in main_containers(pod)))
    return min(max(score, 1000 + _GUARANTEED), _BEST_EFFORT - 1)


def _by_request(container: Obj, spare: int, machine_memory: int) -> int:
    return 1000 - 1000 * (_memory(container) + spare) // max(machine_memory, 1)


def _memory(container: Obj) -> int:
    """The container's request, in bytes; a missing one is the limit, as the API defaults it."""
    resources = container.get("resources") or {}
    asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return bytes_of(asked.get("memory", 0))


def _spare(pod: Obj) -> int:
    """Each container's share of what the pod as a whole asks for beyond its containers, in bytes."""
    whole: Obj = (pod["spec"].get("resources") or {}).get("requests") or {}
    if "memory" not in whole:
        return 0
    containers = {**pod["spec"], "resources": None}
    rest = bytes_of(whole["memory"]) - pod_total(containers, "requests", overhead=False).get("memory", ZERO).units
    return max(rest, 0) // (len(main_containers(pod)) + len(init_containers(pod)))
