"""EndpointSlices for Endpoints that people write by hand, for Services without a selector. Pure.

Source: Kubernetes `pkg/controller/endpointslicemirroring`. Only the first 1000 addresses of a subset are mirrored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from skerry.engine.controllers.endpoints.arrange import (
    MANAGED_BY,
    SERVICE_NAME,
    Frame,
    Group,
    SlicePlan,
    arrange,
)
from skerry.engine.controllers.endpoints.backends import BackendPort
from skerry.kube.objects import Obj, annotations_of, labels_of, name_of, namespace_of, owner_reference
from skerry.kube.resources import ENDPOINTS

MANAGER = "endpointslicemirroring-controller.k8s.io"
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_MOST = 1000


def is_mirrored(service: Obj | None, endpoints: Obj | None) -> bool:
    """Whether slices are to be made: the Service has no selector, and the Endpoints do not ask to be left alone."""
    if service is None or endpoints is None or service["spec"].get("selector"):
        return False
    return labels_of(endpoints).get(_SKIP) != "true" and _LEADER not in annotations_of(endpoints)


def plan_mirror(endpoints: Obj, existing: Sequence[Obj]) -> SlicePlan:
    """The changes to the slices that mirror these Endpoints."""
    labels = {**labels_of(endpoints), SERVICE_NAME: name_of(endpoints), MANAGED_BY: MANAGER}
    owner = owner_reference(endpoints, ENDPOINTS)
    frame = Frame(name_of(endpoints), namespace_of(endpoints), labels, owner, placeholder="")
    return arrange(frame, mirrored_endpoints(endpoints), existing)


def mirrored_endpoints(endpoints: Obj) -> dict[Group, list[Obj]]:
    """Endpoints by address family and ports."""
    groups: dict[Group, list[Obj]] = defaultdict(list)
    for subset in endpoints.get("subsets") or ():
        ports = tuple(_ports(subset.get("ports") or ()))
        ready = [(address, True) for address in subset.get("addresses") or ()]
        not_ready = [(address, False) for address in subset.get("notReadyAddresses") or ()]
        for address, is_ready in (ready + not_ready)[:_MOST]:
            family = "IPv6" if ":" in address["ip"] else "IPv4"
            groups[family, ports].append(_endpoint(address, is_ready))
    return groups


def _endpoint(address: Obj, ready: bool) -> Obj:
    endpoint: Obj = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    optional = ("hostname", "nodeName", "targetRef")
    return {**endpoint, **{key: address[key] for key in optional if address.get(key)}}


def _ports(ports: Iterable[Obj]) -> Iterable[BackendPort]:
    for port in ports:
        protocol, application = port.get("protocol") or "TCP", port.get("appProtocol") or ""
        yield BackendPort(port.get("name") or "", int(port["port"]), protocol, application)
