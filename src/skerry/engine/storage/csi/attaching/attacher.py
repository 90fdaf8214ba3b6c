"""Answers VolumeAttachments of the drivers whose controller side is the engine's to drive, as external-attacher does
for the others.

Keys are VolumeAttachments. Invariant: an attachment that was begun has our finalizer, and goes only after the driver
has detached the volume. Source: kubernetes-csi/external-attacher, `pkg/controller/csi_handler.go`.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import StorageError, Use
from skerry.engine.storage.csi.driver_objects import rules_of
from skerry.engine.storage.registry import Drivers
from skerry.engine.storage.secrets import SecretRef, read_secret
from skerry.kube.clock import rfc3339
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound, StatusError
from skerry.kube.objects import Obj, is_deleting, name_of
from skerry.kube.resources import CSI_DRIVERS, PERSISTENT_VOLUMES, VOLUME_ATTACHMENTS

if TYPE_CHECKING:
    from skerry.engine.storage.csi.remote_driver import RemoteDriver

FINALIZER = "storage.skerry.dev/attacher"
_RETRY = 5.0
"""Seconds."""


class Attacher(Controller):
    """For the node this engine is."""

    name = "csi-attacher"

    def __init__(self, context: StorageContext, drivers: Drivers) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity("csi-attacher")
        self._clock = context.clock
        self._node = context.config.node_name
        self._drivers = drivers
        self._volumes = informers.of(PERSISTENT_VOLUMES)
        self._driver_objects, self._attachments = informers.of(CSI_DRIVERS), informers.of(VOLUME_ATTACHMENTS)
        self.watch(self._attachments)
        drivers.on_change(self._driver_changed)

    async def close(self) -> None:
        """Hear of no drivers any more."""
        self._drivers.off_change(self._driver_changed)
        await super().close()

    async def reconcile(self, key: str) -> float | None:
        """Bring one to where it is asked to be; what fails is written into its status and tried again."""
        attached = self._attachments.get(key)
        if attached is None or attached["spec"]["nodeName"] != self._node:
            return None
        driver = self._driver(attached)
        ours = FINALIZER in (attached["metadata"].get("finalizers") or ())
        if driver is None or not (ours or self._is_ours(attached)):
            return None
        if is_deleting(attached):
            return await self._end(attached, driver) if ours else None
        if (attached.get("status") or {}).get("attached"):
            return None
        return await self._begin(attached, driver, ours)

    def _driver(self, attached: Obj) -> RemoteDriver | None:
        known = self._drivers.get(attached["spec"]["attacher"])
        if known is None:
            return None
        from skerry.engine.storage.csi.remote_driver import RemoteDriver

        return known if isinstance(known, RemoteDriver) else None

    def _is_ours(self, attached: Obj) -> bool:
        return rules_of(self._driver_objects.get(attached["spec"]["attacher"])).engine_controls

    async def _begin(self, attached: Obj, driver: RemoteDriver, ours: bool) -> float | None:
        volume = self._volumes.get(attached["spec"]["source"].get("persistentVolumeName") or "")
        if volume is None:
            return None  # deletion of the attachment comes next
        source = volume["spec"].get("csi") or {}
        if source.get("driver") != driver.name:
            why = StorageError("INVALID_ARGUMENT", f"PersistentVolume {name_of(volume)} is not one of {driver.name}")
            await self._tell(attached, {"attached": False, "attachError": self._trouble(why)})
            return None
        if not ours:
            attached = await self._with_finalizers(attached, [*_finalizers(attached), FINALIZER])
        use = _use(volume)
        try:
            secrets = await self._secrets(source)
            context = source.get("volumeAttributes") or {}
            read_only = bool(source.get("readOnly"))
            given = await driver.attach(source["volumeHandle"], use, context, secrets, read_only=read_only)
        except (StorageError, StatusError) as error:
            return await self._tell(attached, {"attached": False, "attachError": self._trouble(error)})
        await self._tell(attached, {"attached": True, "attachError": None, "attachmentMetadata": dict(given) or None})
        return None

    async def _end(self, attached: Obj, driver: RemoteDriver) -> float | None:
        """A volume whose object is gone already, with its handle, was deleted and so is attached nowhere."""
        volume = self._volumes.get(attached["spec"]["source"].get("persistentVolumeName") or "")
        try:
            if volume is not None:
                source = volume["spec"]["csi"]
                await driver.detach(source["volumeHandle"], await self._secrets(source))
        except (StorageError, StatusError) as error:
            attached_still = bool((attached.get("status") or {}).get("attached"))
            return await self._tell(attached, {"attached": attached_still, "detachError": self._trouble(error)})
        with contextlib.suppress(NotFound):
            await self._with_finalizers(attached, [each for each in _finalizers(attached) if each != FINALIZER])
        return None

    async def _with_finalizers(self, attached: Obj, finalizers: list[str]) -> Obj:
        metadata = {"finalizers": finalizers, "resourceVersion": attached["metadata"]["resourceVersion"]}
        return await self._client.patch(VOLUME_ATTACHMENTS, name_of(attached), {"metadata": metadata})

    async def _tell(self, attached: Obj, status: Obj) -> float | None:
        """Seconds until the next try after trouble. The same trouble is not written again: that would be the reason for
        another try at once."""
        trouble = [kind for kind in ("attachError", "detachError") if status.get(kind)]
        if not trouble or _message(attached, trouble[0]) != status[trouble[0]]["message"]:
            await self._client.patch(VOLUME_ATTACHMENTS, name_of(attached), {"status": status}, subresource="status")
        return _RETRY if trouble else None

    def _trouble(self, error: Exception) -> Obj:
        return {"time": rfc3339(self._clock.now()), "message": str(error)}

    async def _secrets(self, source: Obj) -> dict[str, str]:
        reference = source.get("controllerPublishSecretRef")
        return await read_secret(self._client, SecretRef(**reference) if reference else None)

    def _driver_changed(self, name: str) -> None:
        for one in self._attachments.list():
            if one["spec"]["attacher"] == name:
                self.queue.add(name_of(one))


def _finalizers(obj: Obj) -> list[str]:
    return obj["metadata"].get("finalizers") or []


def _message(attached: Obj, kind: str) -> str:
    return str(((attached.get("status") or {}).get(kind) or {}).get("message", ""))


def _use(volume: Obj) -> Use:
    spec = volume["spec"]
    return Use(
        tuple(spec.get("accessModes") or ()),
        spec.get("volumeMode") == "Block",
        spec["csi"].get("fsType") or "",
        tuple(spec.get("mountOptions") or ()),
    )
