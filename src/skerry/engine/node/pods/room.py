"""What pods hold of their node, and whether a new one fits beside the others: the scheduler is not the only one who may
bind pods. Pure.

Source of the behaviour: the kubelet's `pkg/kubelet/lifecycle/predicate.go`, `InsufficientResourceError` and
`PredicateFailureError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from skerry.engine.node.node_object import MOST_PODS
from skerry.engine.node.pods.admission import Refusal
from skerry.kube.host_ports import HostPort, host_ports
from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import ZERO
from skerry.kube.quota.pod_resources import pod_total

COUNTED = ("cpu", "memory", "ephemeral-storage")
Held = Mapping[str, Decimal]
"""Cores and bytes by the names in `COUNTED`."""


def requests_of(pod: Obj) -> Held:
    """What a pod holds of its node."""
    asked = pod_total(pod["spec"], "requests")
    return {name: asked.get(name, ZERO).value for name in COUNTED}


def no_room(wanted: Held, others: Sequence[Held], allocatable: Held) -> Refusal | None:
    """Why a pod cannot be beside the others, None when it can."""
    if len(others) >= MOST_PODS:
        return "OutOfpods", f"{_SHORT}: pods, requested: 1, used: {len(others)}, capacity: {MOST_PODS}"
    for name in COUNTED:
        used = sum((other[name] for other in others), Decimal(0))
        if wanted[name] and wanted[name] + used > allocatable[name]:
            amounts = (shown(name, amount) for amount in (wanted[name], used, allocatable[name]))
            return f"OutOf{name}", "{}: {}, requested: {}, used: {}, capacity: {}".format(_SHORT, name, *amounts)
    return None


def no_free_ports(wanted: Sequence[HostPort], others: Iterable[Obj]) -> Refusal | None:
    """Why a pod that wants these ports of the node cannot be beside the pods that are there, None when it can."""
    if wanted and any(one.conflicts(taken) for other in others for taken in host_ports(other) for one in wanted):
        return "NodePorts", "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"
    return None


_SHORT = "Node didn't have enough resource"


def shown(name: str, amount: Decimal) -> int:
    """As the kubelet prints it: millicores, bytes."""
    return int(amount * 1000) if name == "cpu" else int(amount)
