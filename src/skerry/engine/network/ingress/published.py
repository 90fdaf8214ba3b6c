"""The Service `kube-system/ingress`, through which requests come in, and its endpoint, which is Caddy.

Of type LoadBalancer: whoever gives such Services addresses gives this one its own, on one machine the node's. There are
no pods behind it, so its Endpoints are written here. The Service as it is stays: people may have reasons to change it.
"""

from __future__ import annotations

import contextlib

from skerry.engine.network.ingress.document import Listeners
from skerry.kube.client import Client
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.objects import Obj
from skerry.kube.resources import ENDPOINTS, SERVICES

NAMESPACE, NAME = "kube-system", "ingress"
_LABELS = {"app.kubernetes.io/name": "ingress", "app.kubernetes.io/managed-by": "skerry"}


async def publish(client: Client, listeners: Listeners) -> None:
    """Make what is missing, bring the endpoint up to date. Raises StatusError."""
    with contextlib.suppress(AlreadyExists):
        await client.create(SERVICES, service(listeners), NAMESPACE)
    wanted = endpoints(listeners)
    try:
        current = await client.get(ENDPOINTS, NAME, NAMESPACE)
    except NotFound:
        await client.create(ENDPOINTS, wanted, NAMESPACE)
        return
    if current.get("subsets") != wanted["subsets"]:
        await client.update(ENDPOINTS, {**current, "subsets": wanted["subsets"]})


def service(listeners: Listeners) -> Obj:
    """The Service."""
    ports = [
        {"name": "http", "port": 80, "protocol": "TCP", "targetPort": listeners.http},
        {"name": "https", "port": 443, "protocol": "TCP", "targetPort": listeners.https},
    ]
    metadata = {"name": NAME, "namespace": NAMESPACE, "labels": dict(_LABELS)}
    spec = {"type": "LoadBalancer", "ipFamilyPolicy": "PreferDualStack", "ports": ports}
    return {"metadata": metadata, "spec": spec}


def endpoints(listeners: Listeners) -> Obj:
    """The one endpoint, with an address of each family."""
    ports = [
        {"name": "http", "port": listeners.http, "protocol": "TCP"},
        {"name": "https", "port": listeners.https, "protocol": "TCP"},
    ]
    metadata = {"name": NAME, "namespace": NAMESPACE, "labels": dict(_LABELS)}
    addresses = [{"ip": one} for one in listeners.addresses]
    return {"metadata": metadata, "subsets": [{"addresses": addresses, "ports": ports}]}
