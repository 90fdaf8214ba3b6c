"""Keeps the Service through which pods reach the DNS server, and its endpoint.

They look as in a cluster made by kubeadm (`kube-system/kube-dns`), but for the selector: there are no pods behind it,
so its Endpoints are written here and mirrored into an EndpointSlice like those of any such Service.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from skerry.kube.client import Client
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.informer import Informer
from skerry.kube.objects import Obj, key_of
from skerry.kube.resources import ENDPOINTS, SERVICES

NAMESPACE, NAME = "kube-system", "kube-dns"
_KEY = f"{NAMESPACE}/{NAME}"
_LABELS = {"k8s-app": NAME, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
_PORTS = (("dns", "UDP"), ("dns-tcp", "TCP"))


class DnsService(Controller):
    """Makes both objects again when they are gone. `listening`: the server's ports by address, one of each family."""

    name = "kube-dns"
    workers = 1

    def __init__(
        self, client: Client, services: Informer, cluster_ips: Sequence[str], listening: Mapping[str, int]
    ) -> None:
        super().__init__()
        self._client = client
        self._wanted = service(cluster_ips, next(iter(listening.values())))
        self._endpoints = endpoints(listening)
        self.watch(services, lambda obj: [_KEY] if key_of(obj) == _KEY else [])
        self.queue.add(_KEY)

    async def reconcile(self, key: str) -> float | None:
        """The Service as it is stays: people may have reasons to change it. Its endpoint is ours."""
        with contextlib.suppress(AlreadyExists):
            await self._client.create(SERVICES, self._wanted, NAMESPACE)
        try:
            current = await self._client.get(ENDPOINTS, NAME, NAMESPACE)
        except NotFound:
            await self._client.create(ENDPOINTS, self._endpoints, NAMESPACE)
            return None
        if current.get("subsets") != self._endpoints["subsets"]:
            await self._client.update(ENDPOINTS, {**current, "subsets": self._endpoints["subsets"]})
        return None


def service(cluster_ips: Sequence[str], port: int) -> Obj:
    """The Service, at the address that pods' resolv.conf names, and beside it at one of the second family."""
    ports = [{"name": name, "port": 53, "protocol": protocol, "targetPort": port} for name, protocol in _PORTS]
    spec: Obj = {"type": "ClusterIP", "clusterIP": cluster_ips[0], "clusterIPs": list(cluster_ips), "ports": ports}
    spec["ipFamilyPolicy"] = "PreferDualStack"
    return {"metadata": {"name": NAME, "namespace": NAMESPACE, "labels": dict(_LABELS)}, "spec": spec}


def endpoints(listening: Mapping[str, int]) -> Obj:
    """The one endpoint, with an address of each family."""
    metadata = {"name": NAME, "namespace": NAMESPACE, "labels": dict(_LABELS)}
    return {"metadata": metadata, "subsets": [_subset(address, port) for address, port in listening.items()]}


def _subset(address: str, port: int) -> Obj:
    ports = [{"name": name, "port": port, "protocol": protocol} for name, protocol in _PORTS]
    return {"addresses": [{"ip": address}], "ports": ports}
