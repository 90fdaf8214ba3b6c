"""Makes volumes for claims: what external-provisioner does.

The binder names a driver in an annotation of the claim, the scheduler a node; the driver makes the volume; the
PersistentVolume written here bears the claim's uid in its name, so that whatever happens in between, the next attempt
finds what the last one made. A claim that is deleted meanwhile is followed until the driver has said how it ended: its
volume is then written too, and released at once by the binder. Source: sig-storage-lib-external-provisioner 11.
"""

from __future__ import annotations

from collections.abc import Iterable

from skerry.engine.definitions.snapshots import SNAPSHOT_CONTENTS, VOLUME_SNAPSHOTS
from skerry.engine.storage.backoff import Backoff
from skerry.engine.storage.context import StorageContext
from skerry.engine.storage.contract import Driver, StorageError, Volume, VolumeRequest, VolumeSource
from skerry.engine.storage.provisioning import sources, wanted
from skerry.engine.storage.provisioning.cloning import protect_source
from skerry.engine.storage.provisioning.parameters import Parameters, parameters_of
from skerry.engine.storage.provisioning.volume_object import volume_name, volume_object
from skerry.engine.storage.secrets import read_secret
from skerry.kube.controller import Controller
from skerry.kube.errors import AlreadyExists, Invalid, NotFound
from skerry.kube.objects import Obj, is_deleting, key_of, labels_of, name_of, namespace_of, split_key, uid_of
from skerry.kube.records import record
from skerry.kube.resources import NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES
from skerry.kube.volumes import SELECTED_NODE, class_of, waits_for_consumer

_HOSTNAME = "kubernetes.io/hostname"
_NOW = 0.0
"""Look again at once: another claim may have the name of one that is gone, and has waited for that one's end."""


@record
class _Attempt:
    """What a driver is, or was, asked for."""

    claim: Obj
    storage_class: Obj
    parameters: Parameters
    request: VolumeRequest


class ClaimProvisioner(Controller):
    """Keys are "namespace/claim"."""

    name = "storage-provisioner"
    workers = 64  # one that waits for a silent server keeps nobody else waiting

    def __init__(self, context: StorageContext) -> None:
        super().__init__()
        informers = context.informers
        self._client = context.identity("storage-provisioner")
        self._recorder = context.recorder
        self._drivers = context.drivers
        self._claims, self._volumes = informers.of(PERSISTENT_VOLUME_CLAIMS), informers.of(PERSISTENT_VOLUMES)
        self._classes, self._nodes = informers.of(STORAGE_CLASSES), informers.of(NODES)
        self._snapshots, self._contents = informers.of(VOLUME_SNAPSHOTS), informers.of(SNAPSHOT_CONTENTS)
        self._backoff = Backoff()
        self._unsettled: dict[str, _Attempt] = {}
        """Claims whose volume is, or may be, in the making."""
        self._claims.add_index("waiting by class", _class_waited_for)
        self._claims.add_index("waiting by source", _source_waited_for)
        self.watch(self._claims)
        self.watch(self._classes, lambda one: self._waiting("class", name_of(one)))
        self.watch(self._snapshots, lambda one: self._waiting("source", f"VolumeSnapshot/{key_of(one)}"))

    def _waiting(self, by: str, value: str) -> Iterable[str]:
        return map(key_of, self._claims.by_index(f"waiting by {by}", value))

    async def reconcile(self, key: str) -> float | None:
        """Bring one claim to its volume, or say why not."""
        namespace, name = split_key(key)
        claim = self._claims.get(name, namespace)
        begun = self._unsettled.get(key)
        is_gone = begun is not None and (claim is None or uid_of(claim) != uid_of(begun.claim))
        if begun is not None and is_gone:
            claim = begun.claim  # its volume may be there
        if claim is None or not self._is_due(claim, is_begun=begun is not None):
            self._settled(key)
            return _NOW if is_gone else None
        driver = self._drivers.get(wanted.provisioner_of(claim))
        if driver is None:
            return None  # somebody else's, or one that will come: then this is called again
        left = self._backoff.left(key)
        return left if left is not None else await self._attempt(key, claim, driver, begun if is_gone else None)

    def _is_due(self, claim: Obj, *, is_begun: bool) -> bool:
        if self._volumes.get(volume_name(claim)) is not None or not wanted.is_waiting(claim):
            return False
        if is_begun:
            return True
        waits = waits_for_consumer(self._class_of(claim)) and not wanted.selected_node(claim)
        return not waits and not is_deleting(claim)

    async def _attempt(self, key: str, claim: Obj, driver: Driver, begun: _Attempt | None) -> float | None:
        """`begun`: what was asked before the claim was gone, to be asked in the same words."""
        try:
            attempt = begun or await self._prepare(claim, driver)
        except StorageError as error:
            return self._failed(key, claim, error)  # what is unsettled stays so
        self._unsettled[key] = attempt
        try:
            volume = await self._make(claim, driver, attempt.request)
            await self._write(attempt, volume, driver)
        except StorageError as error:
            moves = self._may_move(claim, error)
            if error.is_final or moves:
                self._unsettled.pop(key, None)
            delay = self._failed(key, claim, error)
            if moves:
                await self._reschedule(claim)
            return delay
        self._settled(key)
        text = f"Successfully provisioned volume {volume_name(claim)}"
        self._recorder.named(driver.name).event(claim, "Normal", "ProvisioningSucceeded", text)
        return _NOW if begun is not None else None

    def _settled(self, key: str) -> None:
        self._unsettled.pop(key, None)
        self._backoff.forget(key)

    async def _prepare(self, claim: Obj, driver: Driver) -> _Attempt:
        """Raises StorageError for what cannot be asked for."""
        storage_class = wanted.check(claim, self._class_of(claim), driver)
        parameters = parameters_of(storage_class, claim, volume_name(claim))
        source = self._source(claim, driver)
        secrets = await read_secret(self._client, parameters.secret)
        if source.volume:
            await protect_source(self._client, self._claims, claim)
        origin = wanted.Origin(source, self._topology(claim))
        request = wanted.request_for(claim, storage_class, parameters, secrets, origin)
        return _Attempt(claim, storage_class, parameters, request)

    def _source(self, claim: Obj, driver: Driver) -> VolumeSource:
        """Raises StorageError."""
        named, namespace = sources.source_of(claim), namespace_of(claim)
        if named is None:
            return VolumeSource()
        if named.kind == "VolumeSnapshot":
            snapshot = self._snapshots.get(named.name, namespace)
            bound = ((snapshot or {}).get("status") or {}).get("boundVolumeSnapshotContentName", "")
            return sources.from_snapshot(claim, driver, snapshot, self._contents.get(bound))
        origin = self._claims.get(named.name, namespace)
        volume = self._volumes.get(((origin or {}).get("spec") or {}).get("volumeName", ""))
        return sources.from_claim(claim, driver, origin, volume)

    def _topology(self, claim: Obj) -> dict[str, str]:
        name = wanted.selected_node(claim)
        if not name:
            return {}
        node = self._nodes.get(name)
        return {_HOSTNAME: labels_of(node).get(_HOSTNAME, name) if node is not None else name}

    async def _make(self, claim: Obj, driver: Driver, request: VolumeRequest) -> Volume:
        """Raises StorageError."""
        text = f'External provisioner is provisioning volume for claim "{key_of(claim)}"'
        self._recorder.named(driver.name).event(claim, "Normal", "Provisioning", text)
        volume = await driver.create(request)
        if volume.size < request.size:
            await driver.delete(volume.handle, request.secrets)
            raise StorageError("OUT_OF_RANGE", f"{driver.name} made {volume.size} bytes instead of {request.size}")
        return volume

    async def _write(self, attempt: _Attempt, volume: Volume, driver: Driver) -> None:
        """Raises StorageError when the API will never take it: then the volume goes again."""
        made = volume_object(attempt.claim, attempt.storage_class, driver.name, attempt.parameters, volume)
        try:
            await self._client.create(PERSISTENT_VOLUMES, made)
        except AlreadyExists:
            return  # by an attempt whose end was not seen
        except Invalid as error:
            await driver.delete(volume.handle, attempt.request.secrets)
            raise StorageError("INTERNAL", f"its volume could not be recorded: {error}") from None

    def _may_move(self, claim: Obj, error: StorageError) -> bool:
        """Whether another node may have what this one has not."""
        may_be_elsewhere = error.is_final or error.code == "RESOURCE_EXHAUSTED"
        waits = waits_for_consumer(self._class_of(claim))
        return may_be_elsewhere and waits and wanted.selected_node(claim) != ""

    async def _reschedule(self, claim: Obj) -> None:
        """Let the scheduler look for another node."""
        metadata = {"annotations": {SELECTED_NODE: None}, "resourceVersion": claim["metadata"]["resourceVersion"]}
        try:
            await self._client.patch(
                PERSISTENT_VOLUME_CLAIMS, name_of(claim), {"metadata": metadata}, namespace_of(claim)
            )
        except NotFound:
            return

    def _failed(self, key: str, claim: Obj, error: StorageError) -> float:
        name = claim["spec"].get("storageClassName", "")
        text = f'failed to provision volume with StorageClass "{name}": {error.message}'
        self._recorder.named(wanted.provisioner_of(claim)).event(claim, "Warning", "ProvisioningFailed", text)
        return self._backoff.failed(key)

    def _class_of(self, claim: Obj) -> Obj | None:
        return self._classes.get(class_of(claim))


def _class_waited_for(claim: Obj) -> Iterable[str]:
    return (class_of(claim),) if wanted.is_waiting(claim) else ()


def _source_waited_for(claim: Obj) -> Iterable[str]:
    if not wanted.is_waiting(claim):
        return ()
    given = claim["spec"].get("dataSourceRef") or claim["spec"].get("dataSource")
    return (f"{given['kind']}/{namespace_of(claim)}/{given['name']}",) if given else ()
