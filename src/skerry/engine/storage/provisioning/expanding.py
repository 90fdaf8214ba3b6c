"""Lets volumes grow when their claims ask for more: what external-resizer does beside a driver.

The file system of a volume that is mounted grows at its node (`storage/mounting`); where no pod uses the volume, that
waits for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.storage.backoff import Backoff
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Ability, Driver, Expansion, StorageError
from skerry.engine.storage.provisioning import resizing
from skerry.engine.storage.provisioning.resizing import Step
from skerry.engine.storage.secrets import SecretRef, read_secret
from skerry.kube.controller import Controller
from skerry.kube.errors import NotFound
from skerry.kube.objects import Obj, is_deleting, key_of, name_of, split_key, uid_of
from skerry.kube.quantities import binary_quantity, bytes_of
from skerry.kube.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES
from skerry.kube.volumes import claim_of, class_of


class ClaimExpander(Controller):
    """Keys are "namespace/claim"."""

    name = "storage-expander"
    workers = 16

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity("storage-provisioner")
        self._recorder, self._clock, self._drivers = context.recorder, context.clock, context.drivers
        self._claims, self._volumes = informers.of(PERSISTENT_VOLUME_CLAIMS), informers.of(PERSISTENT_VOLUMES)
        self._classes = informers.of(STORAGE_CLASSES)
        self._backoff = Backoff()
        self._tried: dict[str, str] = {}
        """The size that failed: another one is tried at once."""
        self.watch(self._claims)
        self.watch(self._volumes, _claim_of)

    async def reconcile(self, key: str) -> float | None:
        """Bring one claim to the size it asks for, or say why not."""
        namespace, name = split_key(key)
        cached = self._claims.get(name, namespace)
        if cached is None or is_deleting(cached) or resizing.next_step(cached).step is Step.NOTHING:
            self._forget(key)
            return None
        volume = self._volumes.get(cached["spec"].get("volumeName", ""))
        driver = self._driver_of(volume, cached)
        if volume is None or driver is None:
            return None
        left = self._left(key, cached)
        if left is not None:
            return left
        try:
            claim = await self._client.get(PERSISTENT_VOLUME_CLAIMS, name, namespace)  # statuses change in quick steps
        except NotFound:
            return None
        step = resizing.next_step(claim)
        if step.step is Step.GIVE_UP:
            await self._write(claim, resizing.given_up(claim))
        elif step.step is Step.EXPAND:
            return await self._expand(claim, volume, driver, step.size)
        return None

    def _left(self, key: str, claim: Obj) -> float | None:
        if self._tried.get(key, "") != _size_of(claim):
            self._forget(key)
        return self._backoff.left(key)

    def _forget(self, key: str) -> None:
        self._backoff.forget(key)
        self._tried.pop(key, None)

    def _driver_of(self, volume: Obj | None, claim: Obj) -> Driver | None:
        if volume is None or (volume["spec"].get("claimRef") or {}).get("uid") != uid_of(claim):
            return None
        return self._drivers.get((volume["spec"].get("csi") or {}).get("driver", ""))

    async def _expand(self, claim: Obj, volume: Obj, driver: Driver, size: int) -> float | None:
        recorder = self._recorder.named(driver.name)
        try:
            self._check(claim, driver)
            claim = await self._write(claim, resizing.begun(claim, size, self._clock.now()))
            text = f"External resizer is resizing volume {name_of(volume)}"
            recorder.event(claim, "Normal", "Resizing", text)
            csi = volume["spec"]["csi"]
            secrets = await read_secret(self._client, _secret_of(csi))
            grown = await driver.expand(csi["volumeHandle"], size, secrets)
        except StorageError as error:
            text = f'resize volume "{name_of(volume)}" failed: {error.message}'
            recorder.event(claim, "Warning", "VolumeResizeFailed", text)
            for_good = error.is_final or error.code == "RESOURCE_EXHAUSTED"
            await self._write(claim, resizing.failed(claim, text, for_good=for_good, now=self._clock.now()))
            self._tried[key_of(claim)] = _size_of(claim)
            return self._backoff.failed(key_of(claim))
        self._forget(key_of(claim))
        await self._finish(claim, volume, grown)
        reason, text = ("VolumeResizeSuccessful", "Resize volume succeeded")
        if grown.on_node:
            reason, text = "FileSystemResizeRequired", "Require file system resize of volume on node"
        recorder.event(claim, "Normal", reason, text)
        return None

    def _check(self, claim: Obj, driver: Driver) -> None:
        storage_class = self._classes.get(class_of(claim))
        if Ability.EXPAND not in driver.abilities:
            raise StorageError("UNIMPLEMENTED", f"volumes of {driver.name} cannot be expanded")
        if storage_class is not None and not storage_class.get("allowVolumeExpansion"):
            name = name_of(storage_class)
            raise StorageError("FAILED_PRECONDITION", f"class {name} does not allow it (allowVolumeExpansion)")

    async def _finish(self, claim: Obj, volume: Obj, grown: Expansion) -> None:
        """The volume first: who reads the claim's status may rely on it."""
        if bytes_of(volume["spec"]["capacity"]["storage"]) < grown.size:
            capacity = {"spec": {"capacity": {"storage": binary_quantity(grown.size)}}}
            await self._client.patch(PERSISTENT_VOLUMES, name_of(volume), capacity)
        status = resizing.done(claim, grown.size, on_node=grown.on_node, now=self._clock.now())
        await self._write(claim, status)

    async def _write(self, claim: Obj, status: Obj) -> Obj:
        if claim.get("status") == status:
            return claim
        return await self._client.update(PERSISTENT_VOLUME_CLAIMS, {**claim, "status": status}, "status")


def _size_of(claim: Obj) -> str:
    return str(claim["spec"]["resources"]["requests"]["storage"])


def _claim_of(volume: Obj) -> Iterable[str]:
    claim = claim_of(volume)
    return (claim,) if claim else ()


def _secret_of(csi: Obj) -> SecretRef | None:
    reference = csi.get("controllerExpandSecretRef")
    return SecretRef(reference["name"], reference["namespace"]) if reference else None
