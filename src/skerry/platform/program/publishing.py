"""The Service by which the cluster's own programs (an Ingress controller) reach the platform when it is no pod.

It has no selector: its one endpoint is the node's address. Where the platform is a pod, whoever installs it makes the
Service. A node whose only address is loopback cannot be an endpoint; then nothing in the cluster reaches the platform.
"""

from __future__ import annotations

import logging
from ipaddress import ip_address

from skerry.kube.client import Client
from skerry.kube.objects import Obj
from skerry.kube.resources import ENDPOINT_SLICES, NODES, SERVICES
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import MANAGER, NAMESPACE

log = logging.getLogger(__name__)


async def publish(client: Client, port: int) -> None:
    """Make the Service and its endpoint; `port`: where we listen. Raises StatusError."""
    found = [address for node in (await client.list(NODES)).items for address in _addresses(node)]
    if not found:
        log.warning("the node has no address that pods could reach: no sign-on in front of apps")
        return
    metadata = {"name": MANAGER, "namespace": NAMESPACE}
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]
    await apply(client, SERVICES, {"metadata": metadata, "spec": {"ports": ports}})
    labels = {"kubernetes.io/service-name": MANAGER, "endpointslice.kubernetes.io/managed-by": MANAGER}
    endpoint = {
        "metadata": {**metadata, "labels": labels},
        "addressType": "IPv4",
        "endpoints": [{"addresses": found[:1], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
    await apply(client, ENDPOINT_SLICES, endpoint)


def _addresses(node: Obj) -> list[str]:
    given = (node.get("status") or {}).get("addresses") or ()
    known = [one["address"] for one in given if one.get("type") == "InternalIP"]
    return [one for one in known if ip_address(one).version == 4 and not ip_address(one).is_loopback]
