"""The fewest changes that bring a set of EndpointSlices to the endpoints wanted. Pure.

Slices hold at most 100 endpoints that share address family and ports. Existing slices keep the endpoints they have;
new ones fill slices that change anyway, then the fullest with room, then new slices. Used for slices made from pods
(`slices`) and from Endpoints objects (`mirror`). Source: Kubernetes `staging/src/k8s.io/endpointslice` (reconciler.go).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from skerry.engine.controllers.endpoints.backends import BackendPort, Ports
from skerry.kube.objects import Obj, labels_of
from skerry.kube.records import record

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
LARGEST = 100

Group = tuple[str, Ports]
"""Address type and ports: what the endpoints of a slice share."""


@record
class Frame:
    """What all slices of a set have in common. `placeholder`: keep an empty slice of this family when there are no
    endpoints; "" for none."""

    name: str
    namespace: str
    labels: dict[str, str]
    owner: Obj
    placeholder: str


@record
class SlicePlan:
    """Slices to create, to replace (with their metadata) and to delete."""

    create: list[Obj] = field(default_factory=list)
    update: list[Obj] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)


@record
class _Outcome:
    """One slice as it shall be; `slice` is the existing one it is made from, if any."""

    group: Group
    endpoints: list[Obj]
    slice: Obj | None = None


def arrange(frame: Frame, wanted: Mapping[Group, Sequence[Obj]], existing: Sequence[Obj]) -> SlicePlan:
    """The changes to make."""
    by_group: dict[Group, list[Obj]] = defaultdict(list)
    for one in existing:
        by_group[_group_of(one)].append(one)
    outcomes: list[_Outcome] = []
    for group, endpoints in wanted.items():
        outcomes += _distribute(group, endpoints, by_group.pop(group, []))
    spare = [one for ones in by_group.values() for one in ones]
    spare += [outcome.slice for outcome in outcomes if outcome.slice is not None and not outcome.endpoints]
    outcomes = [outcome for outcome in outcomes if outcome.endpoints]
    if not outcomes and frame.placeholder:
        outcomes = [_Outcome((frame.placeholder, ()), [])]
    return _to_plan(frame, outcomes, spare)


def _to_plan(frame: Frame, outcomes: Sequence[_Outcome], spare: list[Obj]) -> SlicePlan:
    """New slices are made from spare ones of the same family where there are any."""
    plan = SlicePlan()
    for outcome in outcomes:
        base = outcome.slice if outcome.slice is not None else _take(spare, outcome.group[0])
        if base is None:
            plan.create.append(_new_slice(frame, outcome))
        elif (replacement := _replaced(frame, base, outcome)) is not base:
            plan.update.append(replacement)
    plan.delete.extend(spare)
    return plan


def _take(spare: list[Obj], family: str) -> Obj | None:
    found = next((one for one in spare if one.get("addressType") == family), None)
    if found is not None:
        spare.remove(found)
    return found


def _distribute(group: Group, wanted: Sequence[Obj], slices: Sequence[Obj]) -> list[_Outcome]:
    """Endpoints stay in the slice they are in; new ones go where there is room, then in new slices."""
    missing = {_identity(endpoint): endpoint for endpoint in wanted}
    outcomes = []
    for one in slices:
        present = [_identity(endpoint) for endpoint in one.get("endpoints") or ()]
        outcomes.append(_Outcome(group, [missing.pop(which) for which in present if which in missing], one))
    remaining = list(missing.values())
    for outcome in sorted(outcomes, key=_fill_order) if remaining else ():
        room = LARGEST - len(outcome.endpoints)
        outcome.endpoints.extend(remaining[:room])
        del remaining[:room]
    chunks = range(0, len(remaining), LARGEST)
    return outcomes + [_Outcome(group, remaining[start : start + LARGEST]) for start in chunks]


def _identity(endpoint: Obj) -> tuple[str, ...]:
    """Which endpoint it is, whatever its state."""
    return ((endpoint.get("targetRef") or {}).get("uid", ""), *endpoint["addresses"])


def _fill_order(outcome: _Outcome) -> tuple[bool, int]:
    """Slices that change anyway first, then the fullest."""
    before = (outcome.slice or {}).get("endpoints") or []
    return outcome.endpoints == before, -len(outcome.endpoints)


def _replaced(frame: Frame, base: Obj, outcome: _Outcome) -> Obj:
    """The existing slice made to show the outcome; itself when nothing changes."""
    labels, same_group = frame.labels, _group_of(base) == outcome.group
    if same_group and labels_of(base) == labels and (base.get("endpoints") or []) == outcome.endpoints:
        return base
    ports = base.get("ports") or [] if same_group else [port.to_json() for port in outcome.group[1]]
    metadata = {**base["metadata"], "labels": labels}
    return {**base, "metadata": metadata, "endpoints": outcome.endpoints, "ports": ports}


def _new_slice(frame: Frame, outcome: _Outcome) -> Obj:
    family, ports = outcome.group
    metadata = {
        "generateName": f"{frame.name}-",
        "namespace": frame.namespace,
        "labels": frame.labels,
        "ownerReferences": [frame.owner],
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": family,
        "endpoints": outcome.endpoints,
        "ports": [port.to_json() for port in ports],
    }


def _group_of(one: Obj) -> Group:
    return one.get("addressType", ""), tuple(_ports_in(one.get("ports") or ()))


def _ports_in(ports: Iterable[Obj]) -> Iterable[BackendPort]:
    for port in ports:
        protocol, app_protocol = port.get("protocol") or "TCP", port.get("appProtocol") or ""
        yield BackendPort(port.get("name") or "", int(port.get("port") or 0), protocol, app_protocol)
