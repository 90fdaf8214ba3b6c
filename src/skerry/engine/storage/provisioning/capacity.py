"""Tells the scheduler how much room there is: a CSIStorageCapacity for each class whose driver counts its space.

Written when volumes come, grow and go, never by the clock; only a driver that could not tell is asked again. A
driver's CSIDriver says that they count (`storageCapacity`) once there is the first: a scheduler that finds none takes
it that there is no room. Of third parties' drivers it says so from the start, or not at all. Source:
external-provisioner, `pkg/capacity`, and KEP 1472.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable

from skerry.engine.storage.backoff import Backoff
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import StorageError
from skerry.engine.storage.registry import DOMAIN
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, NotFound
from skerry.kube.informer import Delta, Informer
from skerry.kube.objects import Obj, name_of
from skerry.kube.quantities import binary_quantity
from skerry.kube.resources import CSI_DRIVERS, CSI_STORAGE_CAPACITIES, PERSISTENT_VOLUMES, STORAGE_CLASSES

log = logging.getLogger(__name__)

_NAMESPACE, _HOSTNAME = "kube-system", "kubernetes.io/hostname"
_TOGETHER = 0.1
"""Seconds in which changes are looked at together: a hundred volumes that come at once are a few of them."""


class CapacityPublisher(Controller):
    """Keys are StorageClasses."""

    name = "storage-capacity"
    workers = 1

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity("storage-provisioner")
        self._drivers, self._node = context.drivers, context.config.node_name
        self._classes: Informer = informers.of(STORAGE_CLASSES)
        self._registered: Informer = informers.of(CSI_DRIVERS)
        self._published: Informer = informers.of(CSI_STORAGE_CAPACITIES)
        self._backoff = Backoff()
        self.watch(self._classes)
        self.watch(self._registered, lambda one: self._classes_of(name_of(one)))
        informers.of(PERSISTENT_VOLUMES).add_handler(self._volume_changed)

    def _volume_changed(self, delta: Delta) -> None:
        """Only what takes or gives room counts."""
        if delta.old is not None and delta.new is not None and _size_of(delta.old) == _size_of(delta.new):
            return
        for name in self._classes_of((delta.object["spec"].get("csi") or {}).get("driver", "")):
            self.queue.add_after(name, _TOGETHER)

    def _classes_of(self, driver: str) -> Iterable[str]:
        return [name_of(one) for one in self._classes.list() if one.get("provisioner") == driver]

    async def reconcile(self, key: str) -> float | None:
        """Say of one class how much its volumes may have."""
        name = f"csisc-{hashlib.sha256(f'{key}/{self._node}'.encode()).hexdigest()[:16]}"
        known = self._published.get(name, _NAMESPACE)
        try:
            room = await self._room(self._classes.get(key))
        except StorageError as error:
            log.warning("%s: how much room there is cannot be told: %s", key, error)
            return self._backoff.failed(key)  # what was known stands: without it no pod would go anywhere
        self._backoff.forget(key)
        if room is None:
            await self._delete(known)
            return None
        wanted = self._capacity(name, key, room)
        if known is None or known.get("capacity") != wanted["capacity"]:
            await self._publish(wanted)
        await self._let_count(key)
        return None

    async def _publish(self, wanted: Obj) -> None:
        try:
            await self._client.create(CSI_STORAGE_CAPACITIES, wanted, _NAMESPACE)
        except AlreadyExists:
            changed = {"capacity": wanted["capacity"]}
            await self._client.patch(CSI_STORAGE_CAPACITIES, name_of(wanted), changed, _NAMESPACE)

    async def _let_count(self, storage_class: str) -> None:
        known = self._classes.get(storage_class)
        registered = self._registered.get((known or {}).get("provisioner", ""))
        if registered is not None and not _counts(registered):
            await self._client.patch(CSI_DRIVERS, name_of(registered), {"spec": {"storageCapacity": True}})

    async def _room(self, storage_class: Obj | None) -> int | None:
        """Bytes; None when its driver does not count them. Raises StorageError."""
        if storage_class is None:
            return None
        name = storage_class.get("provisioner", "")
        driver, registered = self._drivers.get(name), self._registered.get(name)
        if driver is None or registered is None or not (_counts(registered) or name.endswith(DOMAIN)):
            return None
        return await driver.capacity(storage_class.get("parameters") or {})

    def _capacity(self, name: str, storage_class: str, room: int) -> Obj:
        return {
            "metadata": {"name": name, "namespace": _NAMESPACE},
            "storageClassName": storage_class,
            "nodeTopology": {"matchLabels": {_HOSTNAME: self._node}},
            "capacity": binary_quantity(room),
        }

    async def _delete(self, known: Obj | None) -> None:
        if known is None:
            return
        try:
            await self._client.delete(CSI_STORAGE_CAPACITIES, name_of(known), _NAMESPACE)
        except NotFound:
            return


def _counts(registered: Obj) -> bool:
    """Whether pods go where a driver's CSIStorageCapacity objects say that there is room."""
    return bool(registered["spec"].get("storageCapacity"))


def _size_of(volume: Obj) -> object:
    return volume["spec"].get("capacity")
