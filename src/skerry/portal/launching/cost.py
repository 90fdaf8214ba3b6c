"""What objects cost, beside what their project has: CPU, memory, storage, pods. Pure.

As admission counts it: pods by their effective requests (init containers included), storage by claims, claim templates
of StatefulSets once for each replica.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from skerry.checking.pods import pods_of
from skerry.kube.objects import Obj
from skerry.kube.quantities import parse_quantity
from skerry.kube.records import record

Costs = dict[str, Decimal]
"""By the names of a ResourceQuota: requests.cpu (cores), requests.memory, requests.storage (bytes), pods."""
COUNTED = ("requests.cpu", "requests.memory", "requests.storage", "requests.nvidia.com/gpu", "pods")


@record
class Line:
    """One resource: what it adds to what is used, of what there is. `hard` None: no bound."""

    resource: str
    adds: Decimal
    used: Decimal
    hard: Decimal | None

    @property
    def over(self) -> Decimal:
        """By how much it does not fit; 0 when it does."""
        if self.hard is None or not self.adds:
            return Decimal(0)
        return max(Decimal(0), self.used + self.adds - self.hard)

    @property
    def left(self) -> Decimal | None:
        """Before it."""
        return None if self.hard is None else max(Decimal(0), self.hard - self.used)

    def percent(self, value: Decimal) -> int:
        """Of what there is, 0 to 100."""
        if not self.hard:
            return 100 if value and self.hard is not None else 0
        return min(100, int(value * 100 / self.hard))


def costs_of(objects: Iterable[Obj], defaults: Mapping[str, str]) -> Costs:
    """`defaults`: requests of containers that say nothing, as the project's tier gives them (cpu, memory)."""
    found: Costs = {}
    for obj in objects:
        pods = pods_of(obj)
        if pods is not None and pods.number:
            of_one = {f"requests.{name}": value for name, value in _of_pod(pods.spec, defaults).items()}
            _add(found, {**of_one, "pods": Decimal(1)}, pods.number)
        for claim, number in _claims(obj):
            _add(found, {"requests.storage": _quantity(_requests(claim.get("spec")).get("storage"))}, number)
    return found


def _add(to: Costs, more: Mapping[str, Decimal], times: int = 1) -> None:
    for name, value in more.items():
        to[name] = to.get(name, Decimal(0)) + value * times


def against(costs: Costs, quota: Mapping[str, Mapping[str, str]]) -> Sequence[Line]:
    """`quota`: the project's `status.quota`. Only what costs something, or is bounded and known."""
    lines = []
    for name in COUNTED:
        amount = quota.get(name)
        adds = costs.get(name, Decimal(0))
        if amount is None and not adds:
            continue
        used, hard = (_quantity(amount["used"]), _quantity(amount["hard"])) if amount else (Decimal(0), None)
        if adds or name in ("requests.cpu", "requests.memory"):
            lines.append(Line(name, adds, used, hard))
    return lines


def _of_pod(spec: Obj, defaults: Mapping[str, str]) -> dict[str, Decimal]:
    """As kubernetes.io has it, "Init containers: resource sharing": the larger of all containers and each init one."""
    largest: Costs = {}
    for one in spec.get("containers") or ():
        _add(largest, _of_container(one, defaults))
    for one in spec.get("initContainers") or ():
        for name, value in _of_container(one, defaults).items():
            largest[name] = max(largest.get(name, Decimal(0)), value)
    return largest


def _of_container(container: Obj, defaults: Mapping[str, str]) -> dict[str, Decimal]:
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    return {name: _quantity(value) for name, value in {**defaults, **limits, **requests}.items()}


def _claims(obj: Obj) -> Iterable[tuple[Obj, int]]:
    if obj.get("kind") == "PersistentVolumeClaim":
        yield obj, 1
    if obj.get("kind") == "StatefulSet":
        spec = obj.get("spec") or {}
        for template in spec.get("volumeClaimTemplates") or ():
            yield template, int(spec.get("replicas", 1))


def _requests(spec: Obj | None) -> Mapping[str, str]:
    found: Mapping[str, str] = ((spec or {}).get("resources") or {}).get("requests") or {}
    return found


def _quantity(value: object) -> Decimal:
    try:
        return parse_quantity(value) if isinstance(value, (str, int, float)) else Decimal(0)
    except ValueError:
        return Decimal(0)
