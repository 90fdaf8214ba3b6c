"""What every cluster has from the start: four namespaces, two priority classes, the range of service addresses, the
mandatory objects of flow control, and the Service `kubernetes` that leads to this API."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address, ip_network

from skerry.engine.api.flow_objects import MANDATORY
from skerry.engine.config import EngineConfig
from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj, Resource
from skerry.kube.resources import ENDPOINT_SLICES, ENDPOINTS, NAMESPACES, PRIORITY_CLASSES, SERVICE_CIDRS, SERVICES

SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
_NAME, _NAMESPACE = "kubernetes", "default"
_SYSTEM_PRIORITIES = {
    "system-node-critical": (
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    "system-cluster-critical": (
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
}


async def bootstrap(client: Client, config: EngineConfig, port: int) -> None:
    """Create what is missing and bring the API's address up to date."""
    for name in SYSTEM_NAMESPACES:
        with contextlib.suppress(AlreadyExists):
            await client.create(NAMESPACES, {"metadata": {"name": name}})
    for name, (value, description) in _SYSTEM_PRIORITIES.items():
        with contextlib.suppress(AlreadyExists):
            wanted = {"metadata": {"name": name}, "value": value, "description": description}
            await client.create(PRIORITY_CLASSES, wanted)
    for resource, wanted in MANDATORY:
        with contextlib.suppress(AlreadyExists):
            await client.create(resource, wanted)
    with contextlib.suppress(AlreadyExists):
        spec = {"cidrs": list(config.service_cidrs)}
        made = await client.create(SERVICE_CIDRS, {"metadata": {"name": _NAME}, "spec": spec})
        await client.update(SERVICE_CIDRS, {**made, "status": {"conditions": [_ready(made)]}}, "status")
    with contextlib.suppress(AlreadyExists):
        await client.create(SERVICES, _service(config, port), _NAMESPACE)
    address = reachable_address(config.bind)
    if ip_address(address).is_loopback and ip_address(config.bind).is_unspecified:
        address = str(ip_network(config.pod_cidr)[1])  # a machine without a network: the host's end of pod interfaces
    if ip_address(address).is_loopback:
        return  # no pod can reach it there, and endpoints may not say so
    await _put(client, ENDPOINTS, _endpoints(address, port))
    await _put(client, ENDPOINT_SLICES, _endpoint_slice(address, port))


def reachable_address(bind: str) -> str:
    """The address others reach the API at: the bound one, or the host's own when all are bound."""
    if not ip_address(bind).is_unspecified:
        return bind
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; asks the kernel which address it would use
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


async def _put(client: Client, resource: Resource, obj: Obj) -> None:
    try:
        current = await client.get(resource, _NAME, _NAMESPACE)
    except NotFound:
        await client.create(resource, obj, _NAMESPACE)
        return
    await client.update(resource, {**obj, "metadata": {**current["metadata"], **obj["metadata"]}})


def _ready(made: Obj) -> Obj:
    """As the kube-apiserver's `defaultservicecidr` controller says it."""
    return {
        "type": "Ready",
        "status": "True",
        "reason": "",
        "message": "Kubernetes default Service CIDR is ready",
        "lastTransitionTime": made["metadata"]["creationTimestamp"],
    }


def _metadata(labels: dict[str, str]) -> Obj:
    return {"name": _NAME, "namespace": _NAMESPACE, "labels": labels}


def _service(config: EngineConfig, port: int) -> Obj:
    first = str(next(ip_network(config.service_cidr).hosts()))
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]
    spec = {"type": "ClusterIP", "clusterIP": first, "clusterIPs": [first], "ports": ports}
    return {"metadata": _metadata({"component": "apiserver", "provider": "kubernetes"}), "spec": spec}


def _endpoints(address: str, port: int) -> Obj:
    metadata = _metadata({"endpointslice.kubernetes.io/skip-mirror": "true"})
    subset = {"addresses": [{"ip": address}], "ports": [{"name": "https", "port": port, "protocol": "TCP"}]}
    return {"metadata": metadata, "subsets": [subset]}


def _endpoint_slice(address: str, port: int) -> Obj:
    metadata = _metadata({"kubernetes.io/service-name": _NAME})
    return {
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
