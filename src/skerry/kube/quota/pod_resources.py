"""What a pod asks for as a whole: requests and limits over containers, sidecars, init containers and overhead.

Source: k8s.io/component-helpers `resource.PodRequests` and `PodLimits`.
"""

from __future__ import annotations

from typing import Literal

from skerry.kube.objects import Obj
from skerry.kube.quota.amounts import Amount, added, amounts, largest

Which = Literal["requests", "limits"]
_POD_LEVEL = ("cpu", "memory")  # hugepages-* too


def pod_total(spec: Obj, which: Which, *, overhead: bool = True) -> dict[str, Amount]:
    """The pod's requests or limits. `overhead`: with what its runtime class adds."""
    total: dict[str, Amount] = {}
    for container in spec.get("containers") or ():
        total = added(total, _asked(container, which))
    sidecars: dict[str, Amount] = {}
    first: dict[str, Amount] = {}
    for container in spec.get("initContainers") or ():
        asked = _asked(container, which)
        if container.get("restartPolicy") == "Always":
            sidecars = added(sidecars, asked)
            total = added(total, asked)
            asked = sidecars
        else:
            asked = added(asked, sidecars)
        first = largest(first, asked)
    total = largest(total, first)
    for name, value in _asked(spec, which).items():
        if name in _POD_LEVEL or name.startswith("hugepages-"):
            total[name] = value
    return _with_overhead(total, amounts(spec.get("overhead")), which) if overhead else total


def _asked(holder: Obj, which: Which) -> dict[str, Amount]:
    return amounts((holder.get("resources") or {}).get(which))


def _with_overhead(total: dict[str, Amount], extra: dict[str, Amount], which: Which) -> dict[str, Amount]:
    """Overhead is asked for in any case; a limit grows by it only where there is one."""
    if which == "limits":
        extra = {name: value for name, value in extra.items() if name in total}
    return added(total, extra)
