"""The Endpoints object of a Service: pods grouped by the ports they answer on. Pure.

Source: Kubernetes `pkg/controller/endpoint`, `pkg/api/v1/endpoints` (repacking).
"""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.controllers.endpoints.backends import (
    PortResolver,
    Ports,
    address_of,
    families_of,
    is_backend,
    is_headless,
    own_hostname,
    target_reference,
)
from skerry.engine.controllers.pods import is_ready, node_of
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, namespace_of

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
MANAGER = "endpoint-controller"
HEADLESS = "service.kubernetes.io/headless"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
LARGEST = 1000


def build_endpoints(service: Obj, pods: Sequence[Obj]) -> Obj:
    """What the Endpoints object should be; addresses beyond 1000 are left out and that is annotated."""
    subsets, left_out = build_subsets(service, pods)
    labels = {**labels_of(service), MANAGED_BY: MANAGER}
    labels.pop(HEADLESS, None)
    if is_headless(service):
        labels[HEADLESS] = ""
    dropped = (OVER_CAPACITY, TRIGGER_TIME, "kubectl.kubernetes.io/last-applied-configuration")
    annotations = {key: value for key, value in annotations_of(service).items() if key not in dropped}
    if left_out:
        annotations[OVER_CAPACITY] = "truncated"
    metadata: Obj = {"name": name_of(service), "namespace": namespace_of(service), "labels": labels}
    if annotations:
        metadata["annotations"] = annotations
    endpoints: Obj = {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata}
    return {**endpoints, "subsets": subsets} if subsets else endpoints


def build_subsets(service: Obj, pods: Sequence[Obj]) -> tuple[list[Obj], bool]:
    """Subsets, and whether addresses had to be left out."""
    publish_all = bool(service["spec"].get("publishNotReadyAddresses"))
    resolver = PortResolver(service)
    groups: dict[Ports, tuple[list[Obj], list[Obj]]] = {}
    room = LARGEST
    left_out = False
    for pod in sorted(pods, key=lambda one: (not is_ready(one), name_of(one))):
        ip = address_of(pod, families_of(service)[0]) if is_backend(pod, publish_all) else ""
        ports = resolver.of(pod)
        if not ip or (not ports and not is_headless(service)):
            continue
        if room == 0:
            left_out = True
            break
        room -= 1
        ready, not_ready = groups.setdefault(ports, ([], []))
        (ready if publish_all or is_ready(pod) else not_ready).append(_address(pod, ip, service))
    return [_subset(ports, *groups[ports]) for ports in sorted(groups)], left_out


def _address(pod: Obj, ip: str, service: Obj) -> Obj:
    address: Obj = {"ip": ip, "nodeName": node_of(pod), "targetRef": target_reference(pod)}
    hostname = own_hostname(pod, service)
    return {**address, "hostname": hostname} if hostname else address


def _subset(ports: Ports, ready: list[Obj], not_ready: list[Obj]) -> Obj:
    subset: Obj = {}
    if ready:
        subset["addresses"] = sorted(ready, key=_order)
    if not_ready:
        subset["notReadyAddresses"] = sorted(not_ready, key=_order)
    if ports:
        subset["ports"] = [{key: value for key, value in port.to_json().items() if value} for port in ports]
    return subset


def _order(address: Obj) -> tuple[str, str]:
    return address["ip"], address["targetRef"]["uid"]
