"""Objects that names stand for, and a directory of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skerry.engine.network.dns.zone import Zone
from skerry.engine.network.services import cluster_ips
from skerry.kube.objects import Obj, labels_of, name_of, namespace_of

DOMAIN = "cluster.local"
SERVER = "10.65.0.10"


def service(name: str = "web", address: str = "10.65.0.20", namespace: str = "default", **spec: Any) -> Obj:
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "query", "port": 53, "protocol": "UDP"}]
    spec = {"clusterIP": address, "clusterIPs": [address], "ports": ports, **spec}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def headless(name: str = "peers", namespace: str = "default", **spec: Any) -> Obj:
    return service(name, "None", namespace, **spec)


def alias(name: str, target: str, namespace: str = "default") -> Obj:
    spec = {"type": "ExternalName", "externalName": target}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def endpoint(address: str, hostname: str = "", **conditions: Any) -> Obj:
    found: Obj = {"addresses": [address], "conditions": conditions}
    return {**found, "hostname": hostname} if hostname else found


def piece(*endpoints: Obj, of: str = "peers", namespace: str = "default", name: str = "", **more: Any) -> Obj:
    """An EndpointSlice."""
    metadata = {
        "name": name or f"{of}-1",
        "namespace": namespace,
        "labels": {"kubernetes.io/service-name": of},
    }
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    return {"metadata": metadata, "addressType": "IPv4", "endpoints": list(endpoints), "ports": ports, **more}


class Known:
    """A directory of these objects."""

    def __init__(self, *objects: Obj, namespaces: Sequence[str] = ("default",)) -> None:
        self._services = [one for one in objects if "spec" in one]
        self._slices = [one for one in objects if "addressType" in one]
        self._namespaces = namespaces

    def service(self, namespace: str, name: str) -> Obj | None:
        found = (one for one in self._services if (namespace_of(one), name_of(one)) == (namespace, name))
        return next(found, None)

    def slices(self, namespace: str, service: str) -> Sequence[Obj]:
        return [one for one in self._slices if (namespace_of(one), _service_of(one)) == (namespace, service)]

    def has_namespace(self, name: str) -> bool:
        return name in self._namespaces

    def services_at(self, address: str) -> Sequence[Obj]:
        return [one for one in self._services if address in cluster_ips(one)]

    def slices_at(self, address: str) -> Sequence[Obj]:
        return [one for one in self._slices if any(address in end["addresses"] for end in one["endpoints"])]


def zone(*objects: Obj, namespaces: Sequence[str] = ("default",)) -> Zone:
    return Zone(DOMAIN, (SERVER,), Known(*objects, namespaces=namespaces))


def _service_of(one: Obj) -> str:
    return labels_of(one).get("kubernetes.io/service-name", "")
