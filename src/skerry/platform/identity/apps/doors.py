"""The way back from signing in: beside each guarded Ingress one of the same hosts whose `/.skerry/` is the platform.

It leads there through a Service of type ExternalName in the same namespace, as an Ingress has no other way out of it.
It is owned by the guarded one and goes with it; what is changed of it by hand is changed back.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from skerry.kube.controller import Controller
from skerry.kube.errors import Invalid, NotFound
from skerry.kube.objects import (
    Obj,
    annotations_of,
    is_deleting,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    split_key,
    uid_of,
)
from skerry.kube.resources import SERVICES
from skerry.platform.base.applying import apply
from skerry.platform.base.capability import NAMESPACE, Context
from skerry.platform.identity.apps.access import INGRESSES, PLACE, SERVICE, guarded, hosts_of, is_guarded

DOOR_LABEL = "skerry.dev/sign-in-for"
"""On the second Ingress: the name of the guarded one."""
BACK = "skerry-sign-in"
"""The Service that leads out."""
_SUFFIX = "-sign-in"


class DoorController(Controller):
    """One Ingress at a time. Sees to the annotations as well: while the platform was not there admission was neither,
    and it may have another address today."""

    name = "app-doors"

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._client, self._recorder, self._url = context.client, context.recorder, context.settings.url
        self._ingresses = context.informers.of(INGRESSES)
        self._services = context.informers.of(SERVICES)
        self.watch(self._ingresses, _concerned)
        self.watch_owned(self._ingresses, INGRESSES)
        self.watch(self._services, self._led_through)

    def _led_through(self, service: Obj) -> Iterable[str]:
        return map(key_of, self._ingresses.list(namespace_of(service))) if name_of(service) == BACK else ()

    async def reconcile(self, key: str) -> float | None:
        """Guard it; make, change or remove the second Ingress."""
        namespace, name = split_key(key)
        ingress = self._ingresses.get(name, namespace)
        if ingress is None or is_deleting(ingress) or DOOR_LABEL in labels_of(ingress):
            return None
        if change := self._unguarded(ingress):
            await self._guard(ingress, change)
            return None  # the change leads back here
        there = self._ingresses.get(door_name(name), namespace)
        if is_guarded(ingress):
            await self._open(ingress, there)
        elif there is not None and _is_of(there, ingress):
            with suppress(NotFound):
                await self._client.delete(INGRESSES, name_of(there), namespace_of(there))
        return None

    async def _guard(self, ingress: Obj, change: dict[str, str | None]) -> None:
        patch = {"metadata": {"annotations": change}}
        try:
            await self._client.patch(INGRESSES, name_of(ingress), patch, namespace_of(ingress))
        except Invalid as error:
            self._recorder.event(ingress, "Warning", "NotGuarded", f"it is open to everybody: {error.message}")

    def _unguarded(self, ingress: Obj) -> dict[str, str | None]:
        """What is to be changed of its annotations."""
        said = annotations_of(ingress)
        wanted = guarded(said, name_of(ingress), namespace_of(ingress), self._url)
        return {key: wanted.get(key) for key in said.keys() | wanted.keys() if said.get(key) != wanted.get(key)}

    async def _open(self, ingress: Obj, there: Obj | None) -> None:
        namespace = namespace_of(ingress)
        if there is not None and not _is_of(there, ingress):
            if DOOR_LABEL not in labels_of(there):  # else one of an Ingress before, and on its way out
                text = f"Ingress {name_of(there)} has the name of the way back from signing in: name it otherwise"
                self._recorder.event(ingress, "Warning", "NoWayBack", text)
            return
        out, wanted = way_out(namespace), door(ingress)
        if not _says(self._services.get(BACK, namespace), out):
            await apply(self._client, SERVICES, out)
        if not _says(there, wanted):
            await apply(self._client, INGRESSES, wanted)


def _concerned(ingress: Obj) -> Iterable[str]:
    """Itself, and the one whose way back has its name, or had."""
    key = key_of(ingress)
    return dict.fromkeys((key, key.removesuffix(_SUFFIX)))


def door_name(name: str) -> str:
    """Of the second Ingress."""
    return f"{name[:243]}{_SUFFIX}"


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


def _says(there: Obj | None, wanted: Obj) -> bool:
    """Whether it is there, as it should be in what decides where it leads."""
    if there is None:
        return False
    given, annotations = there["spec"], annotations_of(wanted)
    same = all(given.get(key) == value for key, value in wanted["spec"].items() if key != "ports")
    return same and all(annotations_of(there).get(key) == value for key, value in annotations.items())
