"""The EndpointSlices of a Service: what is wanted, and the fewest changes that get there. Pure.

Slices hold at most 100 endpoints that share address family and ports. Existing slices keep the endpoints they have;
new ones fill slices that change anyway, then the fullest with room, then new slices. A Service without endpoints keeps
one empty slice. Source: Kubernetes `staging/src/k8s.io/endpointslice` (reconciler.go).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from skerry.engine.controllers.endpoints.backends import (
    BackendPort,
    Ports,
    address_of,
    families_of,
    is_backend,
    is_headless,
    own_hostname,
    ports_of,
    target_reference,
)
from skerry.engine.controllers.pods import is_ready, node_of
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of, namespace_of, owner_reference, uid_of
from skerry.kube.resources import SERVICES

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
LARGEST = 100

ZoneOf = Callable[[str], str]
Group = tuple[str, Ports]
"""Address type and ports: what the endpoints of a slice share."""


@dataclass(frozen=True, slots=True)
class SlicePlan:
    """Slices to create, to replace (with their metadata) and to delete."""

    create: list[Obj] = field(default_factory=list)
    update: list[Obj] = field(default_factory=list)
    delete: list[Obj] = field(default_factory=list)


def plan_slices(service: Obj, pods: Sequence[Obj], existing: Sequence[Obj], zone_of: ZoneOf) -> SlicePlan:
    """The changes to make. `zone_of` gives the zone of a node by name, "" if it has none."""
    by_group: dict[Group, list[Obj]] = defaultdict(list)
    for one in existing:
        by_group[_group_of(one)].append(one)
    outcomes: list[_Outcome] = []
    for group, endpoints in wanted_endpoints(service, pods, zone_of).items():
        outcomes += _distribute(group, endpoints, by_group.pop(group, []))
    spare = [one for ones in by_group.values() for one in ones]
    spare += [outcome.slice for outcome in outcomes if outcome.slice is not None and not outcome.endpoints]
    outcomes = [outcome for outcome in outcomes if outcome.endpoints] or [_Outcome((families_of(service)[0], ()), [])]
    return _to_plan(service, outcomes, spare)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """One slice as it shall be; `slice` is the existing one it is made from, if any."""

    group: Group
    endpoints: list[Obj]
    slice: Obj | None = None


def _to_plan(service: Obj, outcomes: Sequence[_Outcome], spare: list[Obj]) -> SlicePlan:
    """New slices are made from spare ones of the same family where there are any."""
    plan = SlicePlan()
    for outcome in outcomes:
        base = outcome.slice if outcome.slice is not None else _take(spare, outcome.group[0])
        if base is None:
            plan.create.append(_new_slice(service, outcome))
        elif (replacement := _replaced(service, base, outcome)) is not base:
            plan.update.append(replacement)
    plan.delete.extend(spare)
    return plan


def _take(spare: list[Obj], family: str) -> Obj | None:
    found = next((one for one in spare if one.get("addressType") == family), None)
    if found is not None:
        spare.remove(found)
    return found


def wanted_endpoints(service: Obj, pods: Sequence[Obj], zone_of: ZoneOf) -> dict[Group, dict[str, Obj]]:
    """Endpoints by group and pod uid."""
    groups: dict[Group, dict[str, Obj]] = defaultdict(dict)
    for pod in pods:
        if not is_backend(pod, include_terminating=True):
            continue
        ports = ports_of(service, pod)
        for family in families_of(service):
            ip = address_of(pod, family)
            if ip and (ports or is_headless(service)):
                groups[family, ports][uid_of(pod)] = build_endpoint(service, pod, ip, zone_of)
    return groups


def build_endpoint(service: Obj, pod: Obj, ip: str, zone_of: ZoneOf) -> Obj:
    """One endpoint. A terminating pod serves while it is ready, but is never "ready" (unless the Service says so)."""
    serving, terminating = is_ready(pod), is_deleting(pod)
    ready = bool(service["spec"].get("publishNotReadyAddresses")) or (serving and not terminating)
    endpoint: Obj = {
        "addresses": [ip],
        "conditions": {"ready": ready, "serving": serving, "terminating": terminating},
        "targetRef": target_reference(pod),
    }
    node, hostname = node_of(pod), own_hostname(pod, service)
    zone = zone_of(node) if node else ""
    optional = {"nodeName": node, "hostname": hostname, "zone": zone}
    return {**endpoint, **{key: value for key, value in optional.items() if value}}


def slice_labels(service: Obj) -> dict[str, str]:
    """The Service's own labels and those by which its slices are found."""
    labels = {**labels_of(service), SERVICE_NAME: name_of(service), MANAGED_BY: MANAGER}
    labels.pop(HEADLESS, None)
    if is_headless(service):
        labels[HEADLESS] = ""
    return labels


def _distribute(group: Group, wanted: dict[str, Obj], slices: Sequence[Obj]) -> list[_Outcome]:
    """Endpoints stay in the slice they are in; new ones go where there is room, then in new slices."""
    missing = dict(wanted)
    outcomes = []
    for one in slices:
        uids = [(endpoint.get("targetRef") or {}).get("uid", "") for endpoint in one.get("endpoints") or ()]
        outcomes.append(_Outcome(group, [missing.pop(uid) for uid in uids if uid in missing], one))
    remaining = list(missing.values())
    for outcome in sorted(outcomes, key=_fill_order) if remaining else ():
        room = LARGEST - len(outcome.endpoints)
        outcome.endpoints.extend(remaining[:room])
        del remaining[:room]
    chunks = range(0, len(remaining), LARGEST)
    return outcomes + [_Outcome(group, remaining[start : start + LARGEST]) for start in chunks]


def _fill_order(outcome: _Outcome) -> tuple[bool, int]:
    """Slices that change anyway first, then the fullest."""
    before = (outcome.slice or {}).get("endpoints") or []
    return outcome.endpoints == before, -len(outcome.endpoints)


def _replaced(service: Obj, base: Obj, outcome: _Outcome) -> Obj:
    """The existing slice made to show the outcome; itself when nothing changes."""
    labels, same_group = slice_labels(service), _group_of(base) == outcome.group
    if same_group and labels_of(base) == labels and (base.get("endpoints") or []) == outcome.endpoints:
        return base
    ports = base.get("ports") or [] if same_group else [port.to_json() for port in outcome.group[1]]
    metadata = {**base["metadata"], "labels": labels}
    return {**base, "metadata": metadata, "endpoints": outcome.endpoints, "ports": ports}


def _new_slice(service: Obj, outcome: _Outcome) -> Obj:
    family, ports = outcome.group
    metadata = {
        "generateName": f"{name_of(service)}-",
        "namespace": namespace_of(service),
        "labels": slice_labels(service),
        "ownerReferences": [owner_reference(service, SERVICES)],
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
