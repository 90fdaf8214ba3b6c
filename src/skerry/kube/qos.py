"""The quality-of-service class of a pod, for the API that shows it and the node that acts by it. Pure.

Source: Kubernetes' `pkg/apis/core/v1/helper/qos`. Resources of the pod as a whole, where there are any, decide alone.
"""

from __future__ import annotations

from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity

_COUNTED = ("cpu", "memory")


def qos_class(spec: Obj) -> str:
    """ "Guaranteed" (limits equal to requests everywhere), "BestEffort" (nothing asked for) or "Burstable"."""
    guaranteed, anything = True, False
    pod_level = spec.get("resources")
    holders = (
        [pod_level]
        if pod_level
        else [
            container.get("resources") or {}
            for field in ("initContainers", "containers")
            for container in spec.get(field) or ()
        ]
    )
    for resources in holders:
        requests, limits = _amounts(resources.get("requests")), _amounts(resources.get("limits"))
        anything = anything or bool(requests or limits)
        guaranteed = guaranteed and len(limits) == len(_COUNTED) and {**limits, **requests} == limits
    if not anything:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def _amounts(resources: Obj | None) -> dict[str, object]:
    found = {name: parse_quantity(amount) for name, amount in (resources or {}).items() if name in _COUNTED}
    return {name: amount for name, amount in found.items() if amount}
