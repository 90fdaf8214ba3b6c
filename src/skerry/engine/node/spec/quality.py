"""A pod's quality of service class, from its requests and limits (`pkg/apis/core/v1/helper/qos`)."""

from __future__ import annotations

from decimal import Decimal

from skerry.engine.node.pods.state import init_containers, main_containers
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity

_COUNTED = ("cpu", "memory")


def qos_class(pod: Obj) -> str:
    """ "Guaranteed", "Burstable" or "BestEffort"."""
    resources = [container.get("resources") or {} for container in (*init_containers(pod), *main_containers(pod))]
    requests = [_amounts(entry.get("requests")) for entry in resources]
    limits = [_amounts(entry.get("limits")) for entry in resources]
    if not any((*requests, *limits)):
        return "BestEffort"
    guaranteed = all(
        len(limit) == len(_COUNTED) and {**limit, **request} == limit
        for request, limit in zip(requests, limits, strict=True)
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _amounts(listed: Obj | None) -> dict[str, Decimal]:
    amounts = {name: parse_quantity((listed or {})[name]) for name in _COUNTED if name in (listed or {})}
    return {name: amount for name, amount in amounts.items() if amount > 0}
