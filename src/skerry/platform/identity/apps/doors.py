"""The way back from signing in: beside each guarded Ingress one of the same hosts whose `/.skerry/` is the platform.

It leads there through a Service of type ExternalName in the same namespace, as an Ingress has no other way out of it.
It is owned by the guarded one and goes with it.
"""

from __future__ import annotations

from contextlib import suppress

from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, annotations_of, is_deleting, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import SERVICES
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import NAMESPACE, Context
from skerry.platform.identity.apps.access import INGRESSES, PLACE, SERVICE, hosts_of, is_guarded

DOOR_LABEL = "skerry.dev/sign-in-for"
"""On the second Ingress: the name of the guarded one."""
BACK = "skerry-sign-in"
"""The Service that leads out."""


class DoorController(Controller):
    """One Ingress at a time."""

    name = "app-doors"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client = context.client
        self._ingresses = context.informers.of(INGRESSES)
        self.watch(self._ingresses)
        self.watch_owned(self._ingresses, INGRESSES)

    async def reconcile(self, key: str) -> float | None:
        """Make, change or remove the second Ingress."""
        namespace, name = split_key(key)
        ingress = self._ingresses.get(name, namespace)
        if ingress is None or is_deleting(ingress) or DOOR_LABEL in (ingress["metadata"].get("labels") or {}):
            return None
        there = self._ingresses.get(door_name(name), namespace)
        if is_guarded(ingress):
            await self._open(ingress, there)
        elif there is not None and _is_of(there, ingress):
            with suppress(NotFound):
                await self._client.delete(INGRESSES, name_of(there), namespace_of(there))
        return None

    async def _open(self, ingress: Obj, there: Obj | None) -> None:
        wanted = door(ingress)
        if there is not None and there["spec"] == wanted["spec"] and _is_of(there, ingress):
            return
        await apply(self._client, SERVICES, way_out(namespace_of(ingress)))
        await apply(self._client, INGRESSES, wanted)


def door_name(name: str) -> str:
    """Of the second Ingress."""
    return f"{name[:243]}-sign-in"


def door(ingress: Obj) -> Obj:
    """The second Ingress, of the same class."""
    backend = {"service": {"name": BACK, "port": {"number": 443}}}
    path = {"path": PLACE.rstrip("/"), "pathType": "Prefix", "backend": backend}
    hosts = dict.fromkeys(hosts_of(ingress))
    spec: Obj = {"rules": [{"host": host, "http": {"paths": [path]}} for host in hosts]}
    if name := ingress["spec"].get("ingressClassName"):
        spec["ingressClassName"] = name
    of_class = "kubernetes.io/ingress.class"
    kept = {of_class: annotations_of(ingress)[of_class]} if of_class in annotations_of(ingress) else {}
    return {
        "metadata": {
            "name": door_name(name_of(ingress)),
            "namespace": namespace_of(ingress),
            "labels": {DOOR_LABEL: name_of(ingress)[:63]},
            "annotations": {"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS", **kept},
            "ownerReferences": [_owned_by(ingress)],
        },
        "spec": spec,
    }


def way_out(namespace: str) -> Obj:
    """The Service; one for all doors of a namespace."""
    return {
        "metadata": {"name": BACK, "namespace": namespace},
        "spec": {
            "type": "ExternalName",
            "externalName": f"{SERVICE}.{NAMESPACE}.svc.cluster.local",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}],
        },
    }


def _owned_by(ingress: Obj) -> Obj:
    return {
        "apiVersion": INGRESSES.api_version,
        "kind": INGRESSES.kind,
        "name": name_of(ingress),
        "uid": uid_of(ingress),
        "controller": True,
    }


def _is_of(there: Obj, ingress: Obj) -> bool:
    return any(one.get("uid") == uid_of(ingress) for one in there["metadata"].get("ownerReferences") or ())
