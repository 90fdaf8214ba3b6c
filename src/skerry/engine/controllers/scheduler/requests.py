"""What a pod asks of a node: amounts of resources. Ports of it: `kube.host_ports`.

Source: k8s.io/component-helpers `resource.PodRequests`. CPU is in millicores, everything else in its own unit (bytes,
pieces), rounded up. Sidecars (init containers that restart always) run beside everything started after them; plain
init containers run one after the other before the rest, so the largest of them counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from skerry.kube.objects import Obj
from skerry.kube.quantities import bytes_of, millicores

Amounts = Mapping[str, int]
_POD_LEVEL = ("cpu", "memory")  # hugepages-* too
UNSTATED: Amounts = {"cpu": 100, "memory": 200 * 1024 * 1024}
"""What a container that asks for nothing is taken to use when nodes are compared (`GetNonzeroRequests`)."""


@lru_cache(maxsize=4096)
def amount(resource: str, quantity: str) -> int:
    """A quantity in the unit used here."""
    return millicores(quantity) if resource == "cpu" else bytes_of(quantity)


def amounts(quantities: Mapping[str, object] | None) -> Counter[str]:
    """A resource list ("cpu": "500m") as numbers."""
    return Counter({name: amount(name, str(value)) for name, value in (quantities or {}).items()})


def pod_requests(pod: Obj, unstated: Amounts | None = None) -> Counter[str]:
    """What the scheduler reserves for the pod; `unstated`: for containers that do not say. Raises ValueError for
    quantities that are none."""
    spec = pod["spec"]
    total: Counter[str] = Counter()
    for container in spec.get("containers") or ():
        total.update(_asked(container, unstated))
    sidecars: Counter[str] = Counter()
    largest: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        asked = _asked(container, unstated)
        if container.get("restartPolicy") == "Always":
            sidecars.update(asked)
            total.update(asked)
            largest |= sidecars
        else:
            asked.update(sidecars)
            largest |= asked
    total |= largest
    _apply_pod_level(total, spec)
    total.update(amounts(spec.get("overhead")))
    return total


def _asked(container: Obj, unstated: Amounts | None) -> Counter[str]:
    """A limit without a request is a request."""
    resources = container.get("resources") or {}
    asked = amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})})
    for name, value in (unstated or {}).items():
        asked.setdefault(name, value)
    return asked


def _apply_pod_level(total: Counter[str], spec: Obj) -> None:
    """Requests of the pod as a whole replace the sum of its containers'."""
    resources = spec.get("resources") or {}
    for name, value in amounts({**(resources.get("limits") or {}), **(resources.get("requests") or {})}).items():
        if name in _POD_LEVEL or name.startswith("hugepages-"):
            total[name] = value
