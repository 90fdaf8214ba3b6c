"""The EndpointSlices of a Service: which endpoints its pods make, and what its slices carry. Pure.

A Service without endpoints keeps one empty slice. Neighbour: `arrange` puts endpoints into slices. Source: Kubernetes
`staging/src/k8s.io/endpointslice`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from skerry.engine.controllers.endpoints.arrange import (
    HEADLESS,
    MANAGED_BY,
    SERVICE_NAME,
    Frame,
    Group,
    SlicePlan,
    arrange,
)
from skerry.engine.controllers.endpoints.backends import (
    PortResolver,
    address_of,
    families_of,
    is_backend,
    is_headless,
    own_hostname,
    target_reference,
)
from skerry.engine.controllers.pods import is_ready, node_of
from skerry.kube.objects import Obj, is_deleting, labels_of, name_of, namespace_of, owner_reference
from skerry.kube.resources import SERVICES

MANAGER = "endpointslice-controller.k8s.io"

ZoneOf = Callable[[str], str]


def plan_slices(service: Obj, pods: Sequence[Obj], existing: Sequence[Obj], zone_of: ZoneOf) -> SlicePlan:
    """The changes to make. `zone_of` gives the zone of a node by name, "" if it has none."""
    return arrange(_frame(service), wanted_endpoints(service, pods, zone_of), existing)


def _frame(service: Obj) -> Frame:
    owner = owner_reference(service, SERVICES)
    return Frame(name_of(service), namespace_of(service), slice_labels(service), owner, families_of(service)[0])


def wanted_endpoints(service: Obj, pods: Sequence[Obj], zone_of: ZoneOf) -> dict[Group, list[Obj]]:
    """Endpoints by group."""
    groups: dict[Group, list[Obj]] = defaultdict(list)
    resolver = PortResolver(service)
    for pod in pods:
        if not is_backend(pod, include_terminating=True):
            continue
        ports = resolver.of(pod)
        for family in families_of(service):
            ip = address_of(pod, family)
            if ip and (ports or is_headless(service)):
                groups[family, ports].append(build_endpoint(service, pod, ip, zone_of))
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
