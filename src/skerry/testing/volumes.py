"""Volumes without storage: every claim of a class whose provisioner is `testing.skerry.dev/volumes` gets one at once.

The rule, which docs/testing.md states: a volume has the size that was asked for and can be reached from every node;
it grows when its claim does, and goes with it unless the class says `Retain`. A class `standard`, the default, is
there from the start. Neighbours: `running` starts this; the engine's binder binds what is made here.
"""

from __future__ import annotations

from skerry.engine.controllers.volumes.matching import size_asked, size_of
from skerry.kube.client import Client
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.informer import Informers
from skerry.kube.objects import Obj, annotations_of, key_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES
from skerry.kube.volumes import (
    PROVISIONED_BY,
    PROVISIONER,
    SELECTED_NODE,
    class_of,
    reference_to,
    waits_for_consumer,
)

PROVISIONER_NAME = "testing.skerry.dev/volumes"
STANDARD: Obj = {
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": PROVISIONER_NAME,
    "volumeBindingMode": "WaitForFirstConsumer",
    "reclaimPolicy": "Delete",
    "allowVolumeExpansion": True,
}


class SimulatedVolumes(Controller):
    """Makes, grows and deletes them. Keys are claims ("namespace/name") and volumes ("name")."""

    name = "simulated-volumes"
    workers = 4

    def __init__(self, client: Client, informers: Informers) -> None:
        super().__init__()
        self._client = client
        self._classes = informers.of(STORAGE_CLASSES)
        self._claims = informers.of(PERSISTENT_VOLUME_CLAIMS)
        self._volumes = informers.of(PERSISTENT_VOLUMES)
        self.watch(self._claims, lambda claim: (key_of(claim),) if _is_ours(claim) else ())
        self.watch(self._volumes, lambda volume: (name_of(volume),) if _made_here(volume) else ())

    async def reconcile(self, key: str) -> float | None:
        """Look at one claim or one volume."""
        namespace, name = split_key(key)
        try:
            if namespace:
                await self._provide(self._claims.get(name, namespace))
            else:
                await self._reclaim(self._volumes.get(name))
        except (AlreadyExists, NotFound):
            return None
        return None

    async def _provide(self, claim: Obj | None) -> None:
        if claim is None:
            return
        if claim["spec"].get("volumeName"):
            await self._grow(claim)
            return
        storage_class = self._classes.get(class_of(claim))
        if storage_class is None:
            return
        if waits_for_consumer(storage_class) and SELECTED_NODE not in annotations_of(claim):
            return
        if self._volumes.get(_volume_name(claim)) is None:
            await self._client.create(PERSISTENT_VOLUMES, volume_for(claim, storage_class))

    async def _grow(self, claim: Obj) -> None:
        volume, status = self._volumes.get(claim["spec"]["volumeName"]), claim.get("status") or {}
        if volume is None or status.get("phase") != "Bound" or not _made_here(volume):
            return
        capacity = {"storage": claim["spec"]["resources"]["requests"]["storage"]}
        if size_asked(claim) > size_of(volume):
            grown = {**volume, "spec": {**volume["spec"], "capacity": capacity}}
            await self._client.update(PERSISTENT_VOLUMES, grown)
        if size_asked(claim) > size_of({"spec": status}):
            grown = {**claim, "status": {**status, "capacity": capacity}}
            await self._client.update(PERSISTENT_VOLUME_CLAIMS, grown, "status")

    async def _reclaim(self, volume: Obj | None) -> None:
        released = volume is not None and (volume.get("status") or {}).get("phase") == "Released"
        if volume is not None and released and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            options = {"preconditions": {"uid": uid_of(volume)}}
            await self._client.delete(PERSISTENT_VOLUMES, name_of(volume), None, options)


def volume_for(claim: Obj, storage_class: Obj) -> Obj:
    """The volume of a claim."""
    spec = claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _volume_name(claim), "annotations": {PROVISIONED_BY: PROVISIONER_NAME}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "volumeMode": spec.get("volumeMode") or "Filesystem",
            "storageClassName": name_of(storage_class),
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
            "claimRef": reference_to(claim),
            "csi": {"driver": "testing.skerry.dev", "volumeHandle": f"{namespace_of(claim)}/{name_of(claim)}"},
        },
    }


def _volume_name(claim: Obj) -> str:
    return f"pvc-{uid_of(claim)}"


def _is_ours(claim: Obj) -> bool:
    return annotations_of(claim).get(PROVISIONER) == PROVISIONER_NAME


def _made_here(volume: Obj) -> bool:
    return annotations_of(volume).get(PROVISIONED_BY) == PROVISIONER_NAME
